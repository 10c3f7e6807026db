// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "apus",
    products: [
        .library(name: "Apus", targets: ["Apus"]),
        .executable(name: "apus", targets: ["ApusCLI"]),
    ],
    traits: [
        .default(enabledTraits: ["URLs"]),
        .trait(name: "URLs", description: "`apus detect` downloads pictures by http and https (async-http-client)."),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),  // tests only
        .package(url: "https://github.com/apple/swift-system", from: "1.6.0"),  // tests only
    ],
    targets: [
        .target(name: "COnnxRuntime"),
        .target(name: "ONNXRuntime", dependencies: ["COnnxRuntime"], swiftSettings: settings),
        .target(
            name: "CImageCodecs",
            linkerSettings: [
                .linkedLibrary("turbojpeg"), .linkedLibrary("png"), .linkedLibrary("webp"), .linkedLibrary("webpdemux"),
            ]),
        .target(name: "Imaging", dependencies: ["CImageCodecs"], swiftSettings: settings),
        .target(name: "CDemoModel", exclude: ["demo.onnx"]),
        .target(name: "Hardware", swiftSettings: settings),
        .target(
            name: "Apus", dependencies: ["CDemoModel", "Hardware", "Hashing", "Imaging", "ONNXRuntime"],
            swiftSettings: settings),
        .systemLibrary(
            name: "CCairo", pkgConfig: "cairo", providers: [.apt(["libcairo2-dev"])]),
        .target(name: "Drawing", dependencies: ["CCairo", "Imaging"], swiftSettings: settings),
        .target(name: "CModelTools", exclude: ["operators.txt"]),
        .systemLibrary(
            name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "Hashing", dependencies: ["CCrypto"], swiftSettings: settings),
        .target(name: "ModelTools", dependencies: ["CModelTools", "Hashing"], swiftSettings: settings),
        .executableTarget(
            name: "ApusCLI",
            dependencies: [
                "Apus", "Drawing", "Hardware", "Hashing", "Imaging", "ModelTools", "ONNXRuntime",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client", condition: .when(traits: ["URLs"])),
            ], swiftSettings: settings),
        .target(name: "TestSupport", dependencies: ["ONNXRuntime"], path: "Tests/TestSupport", swiftSettings: settings),
        .testTarget(
            name: "ApusCLITests",
            dependencies: [
                "Apus", "ApusCLI", "Hardware", "Hashing", "ModelTools", "ONNXRuntime", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ApusTests", dependencies: ["Apus", "Hardware", "Imaging", "ONNXRuntime", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "DrawingTests", dependencies: ["Drawing", "Imaging", "TestSupport"], swiftSettings: settings),
        .testTarget(name: "HardwareTests", dependencies: ["Hardware", "TestSupport"], swiftSettings: settings),
        .testTarget(name: "ImagingTests", dependencies: ["Imaging", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "ModelToolsTests", dependencies: ["Apus", "Hashing", "ModelTools", "ONNXRuntime", "TestSupport"],
            swiftSettings: settings),
        .testTarget(name: "ONNXRuntimeTests", dependencies: ["ONNXRuntime", "TestSupport"], swiftSettings: settings),
    ]
)

// The fuzzers have no main of their own (libFuzzer brings it), so they are there for Scripts/fuzz.sh only.
if Context.environment["APUS_FUZZ"] != nil {
    for (name, folder, dependency) in [
        ("PictureFuzzer", "Pictures", "Imaging"), ("CheckpointFuzzer", "Checkpoints", "ModelTools"),
        ("PickleFuzzer", "Pickles", "ModelTools"), ("ModelFuzzer", "Models", "ModelTools"),
        ("LibraryFuzzer", "Libraries", "Hardware"),
    ] {
        package.targets.append(
            .executableTarget(
                name: name, dependencies: [.byName(name: dependency)], path: "Fuzz/\(folder)",
                swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]))
    }
}
