internal import ONNXRuntime

/// The versions of what Apus finds on this machine.
package struct RuntimeVersions: Sendable {
    package let onnxRuntime: String
    /// Path of libonnxruntime.
    package let library: String
    /// Why this one, as "installed by setup".
    package let origin: String
    /// Nil if the runtime has no OpenVINO.
    package let openVINO: String?
    package let whyNoOpenVINO: String?

    /// Loads the runtime and asks it.
    package init(runtime: String?) throws(ApusError) {
        self = try ApusError.wrapping(doing: "ask the runtime for its version") {
            let runtime = try Runtime.load(RuntimeLocation.find(explicit: runtime))
            let openVINO = Result { try runtime.openVINO().version }
            return RuntimeVersions(runtime, openVINO)
        }
    }

    private init(_ runtime: Runtime, _ openVINO: Result<String, any Error>) {
        onnxRuntime = runtime.version
        library = runtime.location.library
        origin = runtime.location.origin
        switch openVINO {
        case .success(let version):
            self.openVINO = version
            whyNoOpenVINO = nil
        case .failure(let error):
            self.openVINO = nil
            whyNoOpenVINO = (error as? ONNXRuntimeError)?.cause ?? "\(error)"
        }
    }
}
