package import Engine
internal import Foundation
internal import Remedies

/// OpenVINO, called directly through its C API.
///
/// It reads ONNX, OpenVINO IR, TensorFlow, TensorFlow Lite and Paddle models, and runs the whole model on one device.
package final class OpenVINOEngine: Engine, Sendable {
    package let name = "OpenVINO"
    package let location: RuntimeLocation
    package let core: OpenVINOCore
    package let hasOpenVINO = true

    /// The version without its build, such as "2026.4.1".
    package var version: String { String(core.version.prefix { $0 != "-" }) }

    /// Loads the library in `location`, once per process.
    ///
    /// - Throws: `openVINOUnavailable` or `runtimeUnusable`.
    package init(_ location: RuntimeLocation) throws(EngineError) {
        let library = try OpenVINOLibrary.load(
            from: location.folder, doing: "load OpenVINO", remedy: OpenVINOSearch.remedy)
        _ = try library.forModels(doing: "load OpenVINO")
        self.location = location
        core = try OpenVINOCore(library)
    }

    package func openVINO(doing: String) throws(EngineError) -> any DeviceCatalog { core }

    package func makeSession(of model: ModelSource, options: SessionOptions) throws(EngineError) -> any EngineSession {
        try OpenVINOSession(self, model, options)
    }
}
