// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "FindObjects",
    dependencies: [
        // In a package of your own: .package(url: "https://github.com/OWNER/apus", from: "0.1.0")
        .package(name: "apus", path: "../..")
    ],
    targets: [
        .executableTarget(
            name: "FindObjects", dependencies: [.product(name: "Apus", package: "apus")], path: "Sources")
    ]
)
