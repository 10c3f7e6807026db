// swift-tools-version: 6.2
import PackageDescription

// Scripts/bench-allocations.sh runs it. SwiftPM names packages by their folder.
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
                // The operations are `package`: what a user calls hides in one figure which of its steps allocates more.
                .unsafeFlags(["-package-name", root]),
            ]),
    ]
)
