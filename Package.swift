// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// Removes the server from the package: its targets, tests and dependencies. Without the trait `Server`, nothing builds the
/// server, but `swift build --build-tests` builds every test target, and the server's tests need it.
let isLean = Context.environment["APUS_LEAN"] != nil

let package = Package(
    name: "apus",
    products: [
        .library(name: "Apus", targets: ["Apus"]),
        .library(name: "ApusDrawing", targets: ["ApusDrawing"]),
        .library(name: "ApusWorkflows", targets: ["ApusWorkflows"]),
        .executable(name: "apus", targets: ["ApusCLI"]),
    ],
    traits: [
        // No default traits: packages that use the library don't download or build dependencies of the command.
        .default(enabledTraits: []),
        .trait(name: "URLs", description: "`apus detect` downloads images over HTTP and HTTPS (async-http-client)."),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),  // tests only
        .package(url: "https://github.com/apple/swift-system", from: "1.6.0"),  // tests only
    ],
    targets: [
        .target(name: "Remedies", swiftSettings: settings),
        .target(name: "COnnxRuntime"),
        .target(name: "COpenVINO"),
        .target(
            name: "OpenVINO", dependencies: ["COpenVINO", "Engine", "ONNX", "Remedies"], swiftSettings: settings),
        .target(name: "Engine", dependencies: ["Remedies"], swiftSettings: settings),
        .target(
            name: "ONNXRuntime", dependencies: ["COnnxRuntime", "Engine", "OpenVINO", "Remedies"],
            swiftSettings: settings),
        .target(
            name: "CImageCodecs",
            linkerSettings: [
                .linkedLibrary("jpeg"), .linkedLibrary("png"), .linkedLibrary("webp"), .linkedLibrary("webpdemux"),
                .linkedLibrary("z"),
            ]),
        .target(name: "CResampling"),
        .target(name: "Imaging", dependencies: ["CImageCodecs", "CResampling", "Remedies"], swiftSettings: settings),
        .target(name: "CAllocator"),
        .target(name: "CDemoModel", exclude: ["demo.onnx"]),
        .target(name: "Files", swiftSettings: settings),
        .target(name: "HuggingFaceConfig", dependencies: ["Files"], swiftSettings: settings),
        .target(name: "Hardware", dependencies: ["Remedies"], swiftSettings: settings),
        .target(
            name: "Apus",
            dependencies: [
                "CDemoModel", "Engine", "Files", "Hardware", "Hashing", "HuggingFaceConfig", "Imaging", "ONNX",
                "ONNXRuntime", "Remedies",
            ],
            swiftSettings: settings),
        .target(name: "Settings", dependencies: ["Apus", "Remedies"], swiftSettings: settings),
        .systemLibrary(
            name: "CCairo", pkgConfig: "cairo", providers: [.apt(["libcairo2-dev"])]),
        .target(name: "Drawing", dependencies: ["CCairo", "Imaging", "Remedies"], swiftSettings: settings),
        .target(name: "ApusDrawing", dependencies: ["Apus", "Drawing", "Imaging"], swiftSettings: settings),
        .target(name: "CModelTools", exclude: ["operators.txt"]),
        .systemLibrary(
            name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "Hashing", dependencies: ["CCrypto", "Files"], swiftSettings: settings),
        .target(name: "ONNX", dependencies: ["Files", "Remedies"], swiftSettings: settings),
        .target(
            name: "ModelTools", dependencies: ["CModelTools", "Hashing", "HuggingFaceConfig", "ONNX", "Remedies"],
            swiftSettings: settings),
        .target(name: "FormData", swiftSettings: settings),
        .target(
            name: "ApusWorkflows",
            dependencies: [
                "Apus", "Engine", "Files", "Hardware", "Hashing", "Imaging", "ModelTools", "ONNX", "Remedies",
                .product(name: "AsyncHTTPClient", package: "async-http-client", condition: .when(traits: ["URLs"])),
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["URLs"])),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["URLs"])),
            ], swiftSettings: settings),
        .target(
            name: "CommandSupport",
            dependencies: [
                "Apus", "Remedies", "Settings",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "ApusCLI",
            dependencies: [
                "Apus", "ApusDrawing", "ApusWorkflows", "CAllocator", "CommandSupport", "Engine", "Files", "Hardware",
                "Hashing", "Imaging", "ModelTools", "ONNX", "Remedies", "Settings",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client", condition: .when(traits: ["URLs"])),
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["URLs"])),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["URLs"])),
            ], swiftSettings: settings),
        .target(
            name: "TestSupport", dependencies: ["Engine", "ONNXRuntime", "OpenVINO"], path: "Tests/TestSupport",
            swiftSettings: settings),
        .testTarget(
            name: "ApusCLITests",
            dependencies: [
                "Apus", "ApusCLI", "ApusWorkflows", "Engine", "Hardware", "Hashing", "ModelTools", "ONNX",
                "ONNXRuntime", "Remedies", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ApusTests",
            dependencies: ["Apus", "Engine", "Hardware", "Imaging", "ONNX", "ONNXRuntime", "Remedies", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "ApusWorkflowsTests",
            dependencies: ["Apus", "ApusWorkflows", "Engine", "Imaging", "ONNXRuntime", "Remedies", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "ApusDrawingTests", dependencies: ["Apus", "ApusDrawing", "Imaging", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "DrawingTests", dependencies: ["Drawing", "Imaging", "TestSupport"], swiftSettings: settings),
        .testTarget(name: "FilesTests", dependencies: ["Files", "TestSupport"], swiftSettings: settings),
        .testTarget(name: "FormDataTests", dependencies: ["FormData"], swiftSettings: settings),
        .target(name: "FuzzSupport", path: "Fuzz/Support", swiftSettings: settings),
        .testTarget(name: "FuzzSupportTests", dependencies: ["FuzzSupport"], swiftSettings: settings),
        .testTarget(
            name: "HardwareTests", dependencies: ["Hardware", "Remedies", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "ImagingTests", dependencies: ["Engine", "Hashing", "Imaging", "Remedies", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "ModelToolsTests",
            dependencies: [
                "Apus", "ApusWorkflows", "Engine", "Hashing", "ModelTools", "ONNX", "ONNXRuntime", "Remedies",
                "TestSupport",
            ],
            swiftSettings: settings),
        .testTarget(name: "ONNXTests", dependencies: ["ONNX", "Remedies", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "OpenVINOTests", dependencies: ["Engine", "ONNX", "ONNXRuntime", "OpenVINO", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "ONNXRuntimeTests", dependencies: ["Engine", "ONNXRuntime", "Remedies", "TestSupport"],
            swiftSettings: settings),
    ]
)

if !isLean {
    /// Conditional on the trait, so that packages that use the library don't download the server's dependencies.
    func server(_ product: String, _ package: String) -> Target.Dependency {
        .product(name: product, package: package, condition: .when(traits: ["Server"]))
    }
    package.traits.insert(.trait(name: "Server", description: "`apus serve`: the server (Hummingbird, gRPC)."))
    package.dependencies += [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.0"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.0"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    ]
    package.targets.first { $0.name == "ApusCLI" }?.dependencies += [
        .target(name: "ApusServe", condition: .when(traits: ["Server"]))
    ]
    // SwiftPM builds all targets of a root package, except those with a dependent whose condition isn't met. These conditional
    // dependencies ensure that the two are built only where the command or a test needs them.
    package.targets.first { $0.name == "ApusCLITests" }?.dependencies += ["ApusServe", "ApusServer"].map {
        .target(name: $0, condition: .when(platforms: [.wasi]))
    }
    package.targets += [
        .target(name: "CServerPages", exclude: ["index.html", "page.css", "page.js", "docs.html", "openapi.json"]),
        .target(
            name: "ApusServer",
            dependencies: [
                "Apus", "ApusDrawing", "ApusWorkflows", "CServerPages", "Engine", "Files", "FormData", "Hashing",
                "Imaging", "Remedies", "Settings",
                server("AsyncHTTPClient", "async-http-client"),
                server("Hummingbird", "hummingbird"), server("HummingbirdCore", "hummingbird"),
                server("HummingbirdTLS", "hummingbird"),
                server("Configuration", "swift-configuration"), server("Logging", "swift-log"),
                server("CoreMetrics", "swift-metrics"),
                server("NIOHTTPTypes", "swift-nio-extras"), server("NIOHTTPTypesHTTP1", "swift-nio-extras"),
                server("NIOCore", "swift-nio"), server("NIOPosix", "swift-nio"),
                server("NIOHTTP1", "swift-nio"), server("NIOSSL", "swift-nio-ssl"),
                server("NIOHTTP2", "swift-nio-http2"), server("NIOHPACK", "swift-nio-http2"),
                server("NIOConcurrencyHelpers", "swift-nio"), server("HTTPTypes", "swift-http-types"),
                server("ServiceLifecycle", "swift-service-lifecycle"),
                server("UnixSignals", "swift-service-lifecycle"),
                server("GRPCCore", "grpc-swift-2"), server("GRPCNIOTransportHTTP2", "grpc-swift-nio-transport"),
                server("GRPCProtobuf", "grpc-swift-protobuf"), server("SwiftProtobuf", "swift-protobuf"),
                server("Yams", "Yams"),
            ], exclude: ["Protocols/OpenInference/open_inference.proto"], swiftSettings: settings),
        .target(
            name: "ApusServe",
            dependencies: [
                "Apus", "ApusServer", "ApusWorkflows", "CommandSupport", "Settings",
                .product(name: "ArgumentParser", package: "swift-argument-parser"), server("Logging", "swift-log"),
            ], swiftSettings: settings),
        .testTarget(
            name: "ApusServerTests",
            dependencies: [
                "Apus", "ApusServer", "Engine", "Imaging", "ModelTools", "ONNX", "Remedies", "Settings", "TestSupport",
                server("GRPCCore", "grpc-swift-2"), server("GRPCInProcessTransport", "grpc-swift-2"),
                server("GRPCProtobuf", "grpc-swift-protobuf"), server("SwiftProtobuf", "swift-protobuf"),
                server("Hummingbird", "hummingbird"), server("HummingbirdTesting", "hummingbird"),
                server("Logging", "swift-log"), server("InMemoryLogging", "swift-log"),
                server("CoreMetrics", "swift-metrics"), server("NIOCore", "swift-nio"), server("NIOPosix", "swift-nio"),
                server("NIOEmbedded", "swift-nio"), server("NIOHTTP1", "swift-nio"),
                server("NIOHTTPTypes", "swift-nio-extras"),
                server("NIOHTTP2", "swift-nio-http2"), server("NIOHPACK", "swift-nio-http2"),
                server("HTTPTypes", "swift-http-types"),
            ],
            swiftSettings: settings),
    ]
}

// The fuzzers have no main (libFuzzer provides it), so they are defined only for Scripts/fuzz.sh.
if Context.environment["APUS_FUZZ"] != nil {
    for (name, folder, dependencies) in [
        ("PictureFuzzer", "Pictures", ["Imaging"]), ("CheckpointFuzzer", "Checkpoints", ["ModelTools", "ONNX"]),
        ("PickleFuzzer", "Pickles", ["ModelTools", "ONNX"]), ("ModelFuzzer", "Models", ["ModelTools", "ONNX"]),
        ("LibraryFuzzer", "Libraries", ["Hardware"]), ("FormFuzzer", "Forms", ["FormData"]),
    ] {
        package.targets.append(
            .executableTarget(
                name: name, dependencies: ["FuzzSupport"] + dependencies.map { .byName(name: $0) },
                path: "Fuzz/\(folder)",
                swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]))
    }
}
