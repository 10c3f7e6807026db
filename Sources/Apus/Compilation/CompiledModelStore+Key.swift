internal import Foundation
internal import Hashing

extension CompiledModelStore {
    /// What a compiled model depends on; any difference makes it a different one.
    package struct Key: Codable, Sendable, Equatable {
        package var model: String
        package var device: String
        package var deviceName: String
        package var deviceUUID: String
        package var driver: String
        package var onnxRuntime: String
        package var openVINO: String
        package var precision: String
        /// "1x3x800x1344"; empty for the model's own shape.
        package var shape: String
        /// How images are prepared and outputs decoded, which a verdict depends on; empty for a compiled model.
        package var decoding = ""

        package init(
            model: String, device: String, deviceName: String, deviceUUID: String, driver: String, onnxRuntime: String,
            openVINO: String, precision: String, shape: String
        ) {
            self.model = model
            self.device = device
            self.deviceName = deviceName
            self.deviceUUID = deviceUUID
            self.driver = driver
            self.onnxRuntime = onnxRuntime
            self.openVINO = openVINO
            self.precision = precision
            self.shape = shape
        }

        var digest: String { String(SHA256.digest(json).prefix(32)) }

        private var json: String {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
    }
}
