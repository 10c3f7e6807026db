internal import Engine

/// The versions of what Apus finds on this machine.
package struct RuntimeVersions: Sendable {
    package let onnxRuntime: String
    /// The path of libonnxruntime.
    package let library: String
    /// Why this one, such as "installed by setup".
    package let origin: String
    /// Nil if the runtime has no OpenVINO.
    package let openVINO: String?
    package let whyNoOpenVINO: String?

    /// Loads the runtime and queries it.
    package init(runtime: String?) throws(ApusError) {
        self = try ApusError.wrapping(doing: "ask the runtime for its version") {
            let engine = try Engines.load(from: runtime)
            let openVINO = Result { try engine.openVINO(doing: "ask OpenVINO for its version").version }
            return RuntimeVersions(engine, openVINO)
        }
    }

    private init(_ engine: any Engine, _ openVINO: Result<String, any Error>) {
        onnxRuntime = engine.version
        library = engine.location.library
        origin = engine.location.origin
        switch openVINO {
        case .success(let version):
            self.openVINO = version
            whyNoOpenVINO = nil
        case .failure(let error):
            self.openVINO = nil
            whyNoOpenVINO = (error as? EngineError)?.cause ?? "\(error)"
        }
    }
}
