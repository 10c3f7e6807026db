package import Engine
import Foundation
package import ONNXRuntime

/// The installed runtime. If it is missing, tests that need it are skipped, or fail with APUS_REQUIRE_RUNTIME.
package enum TestRuntime {
    package static let isWanted: Bool =
        ProcessInfo.processInfo.environment["APUS_REQUIRE_RUNTIME"] != nil || (try? RuntimeSearch.find()) != nil

    package static func load() throws -> Runtime { try Runtime.load(RuntimeSearch.find()) }

    package static func session(
        _ model: String, _ target: ExecutionTarget = .ownKernels, configure: (inout SessionOptions) -> Void = { _ in }
    ) throws -> Session {
        var options = SessionOptions(target)
        configure(&options)
        return try Session(runtime: load(), model: .file(Fixtures.path("models/\(model).onnx")), options: options)
    }
}

extension ExecutionTarget {
    /// OpenVINO's CPU device at f32.
    package static let openVINOCPU = ExecutionTarget.openVINO(device: "CPU", precision: .f32)
}
