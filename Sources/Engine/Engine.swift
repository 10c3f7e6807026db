/// A runtime that compiles models for devices and runs them. Higher layers don't know which one is in use.
package protocol Engine: AnyObject, Sendable {
    /// The name shown to users, such as "ONNX Runtime".
    var name: String { get }
    /// The version that its library reports.
    var version: String { get }
    /// The files that were loaded.
    var location: RuntimeLocation { get }

    /// Whether this build of the engine supports OpenVINO, whether or not OpenVINO's libraries are installed.
    var hasOpenVINO: Bool { get }

    /// OpenVINO's list of devices.
    ///
    /// - Parameter doing: the operation that needs it, for errors.
    /// - Throws: `openVINOUnavailable` with what is missing.
    func openVINO(doing: String) throws(EngineError) -> any DeviceCatalog

    /// Loads and compiles a model. Callers use `session(checked:options:)`, which checks the model's structure first.
    ///
    /// - Throws: `openVINOUnavailable`, `deviceUnavailable`, `modelUnreadable`, `notOnProvider` or `sessionFailed`.
    func makeSession(of model: ModelSource, options: SessionOptions) throws(EngineError) -> any EngineSession
}

/// The devices that OpenVINO finds on this machine.
package protocol DeviceCatalog: AnyObject, Sendable {
    /// OpenVINO's build, such as "2025.4.1-20426-…".
    var version: String { get }

    /// All devices currently present.
    ///
    /// - Throws: `deviceUnavailable` if OpenVINO can't list them.
    func devices() throws(EngineError) -> [CatalogDevice]

    /// - Parameter id: OpenVINO's name, such as "GPU.1".
    func device(_ id: String) -> CatalogDevice

    /// A property by OpenVINO's key, such as "DEVICE_UUID"; nil if the device doesn't have it.
    func property(_ key: String, of device: String) -> String?

    /// - Throws: `deviceUnavailable`, with what is missing, if OpenVINO doesn't find the device.
    func require(_ device: String, doing: String) throws(EngineError)
}

/// A device as OpenVINO describes it.
package struct CatalogDevice: Sendable, Equatable {
    /// OpenVINO's name: "CPU", "GPU", "GPU.1", "NPU".
    package var id: String
    /// FULL_DEVICE_NAME, such as "Intel(R) Arc(TM) A770 Graphics (dGPU)".
    package var fullName: String
    /// DEVICE_TYPE: "discrete" or "integrated".
    package var kind: String
    /// OPTIMIZATION_CAPABILITIES, such as ["FP32", "INT8", "BF16"].
    package var capabilities: [String]

    package init(id: String, fullName: String, kind: String, capabilities: [String]) {
        self.id = id
        self.fullName = fullName
        self.kind = kind
        self.capabilities = capabilities
    }

    /// Whether two names mean one device: "GPU" is the first GPU, which OpenVINO may also call "GPU.0".
    package static func isSame(_ a: String, _ b: String) -> Bool {
        a == b || Set([a, b]) == ["GPU", "GPU.0"]
    }
}
