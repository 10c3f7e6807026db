import Foundation
package import ONNXRuntime

/// The runtime that setup installed. With APUS_REQUIRE_RUNTIME its absence is a failure; elsewhere the tests that need it are left out.
package enum TestRuntime {
    package static let isWanted: Bool =
        ProcessInfo.processInfo.environment["APUS_REQUIRE_RUNTIME"] != nil || (try? RuntimeLocation.find()) != nil

    package static func load() throws -> Runtime { try Runtime.load(RuntimeLocation.find()) }

    package static func session(
        _ model: String, _ provider: ExecutionProvider = .cpu, configure: (inout SessionOptions) -> Void = { _ in }
    ) throws -> Session {
        var options = SessionOptions(provider: provider)
        configure(&options)
        return try Session(runtime: load(), model: .file(Fixtures.path("models/\(model).onnx")), options: options)
    }
}

extension ExecutionProvider {
    /// OpenVINO's CPU device at f32.
    package static var openVINOCPU: ExecutionProvider {
        get throws { .openVINO(try OpenVINOOptions(device: "CPU", precision: .f32)) }
    }
}
