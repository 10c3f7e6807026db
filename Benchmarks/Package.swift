// swift-tools-version: 6.2
import PackageDescription

// Run by Scripts/bench-allocations.sh. SwiftPM names packages after their folder.
let root = Context.packageDirectory.split(separator: "/").dropLast().last.map(String.init) ?? "apus"

let package = Package(
    name: "Benchmarks",
    dependencies: [.package(name: "apus", path: "..")],
    targets: [
        .target(name: "AllocationCounter", path: "AllocationCounter"),
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "AllocationCounter", .product(name: "Apus", package: "apus"),
                .product(name: "ApusWorkflows", package: "apus"),
            ],
            path: "Operations",
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
                // For access to `package` operations: the public API combines several steps in one figure.
                .unsafeFlags(["-package-name", root]),
            ]),
    ]
)
