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
        .library(name: "Apus", targets: ["Apus"])
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
        .target(
            name: "Apus", dependencies: ["CDemoModel", "Imaging", "ONNXRuntime"], swiftSettings: settings),
        .target(name: "TestSupport", dependencies: ["ONNXRuntime"], path: "Tests/TestSupport", swiftSettings: settings),
        .testTarget(name: "ApusTests", dependencies: ["Apus", "Imaging", "ONNXRuntime", "TestSupport"], swiftSettings: settings),
        .testTarget(name: "ImagingTests", dependencies: ["Imaging", "TestSupport"], swiftSettings: settings),
        .testTarget(name: "ONNXRuntimeTests", dependencies: ["ONNXRuntime", "TestSupport"], swiftSettings: settings),
    ]
)
