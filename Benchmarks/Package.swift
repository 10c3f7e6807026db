// swift-tools-version: 6.2
import PackageDescription

// Scripts/bench-allocations.sh runs it. It uses the library as any program does, through its public API.
let package = Package(
    name: "Benchmarks",
    dependencies: [.package(name: "apus", path: "..")],
    targets: [
        .target(name: "AllocationCounter", path: "AllocationCounter"),
        .executableTarget(
            name: "Benchmarks", dependencies: ["AllocationCounter", .product(name: "Apus", package: "apus")],
            path: "Operations"),
    ]
)
