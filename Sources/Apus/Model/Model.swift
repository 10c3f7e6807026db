internal import CDemoModel
internal import Engine

/// A detection model in ONNX form.
public enum Model: Sendable {
    /// The small model bundled with Apus: drawings of 24 COCO classes. Not for photographs.
    case demo
    /// An .onnx file.
    case file(String)
    /// An .onnx file's bytes.
    case bytes([UInt8])

    /// A model that `apus pull` downloaded, by name, or the file at a path.
    ///
    /// - Throws: `ApusError` with code `model` if there is neither.
    public static func named(_ name: String) throws(ApusError) -> Model { .file(try ModelStore.path(of: name)) }

    /// The model's name in reports.
    public var name: String {
        switch self {
        case .demo: "demo"
        case .file(let path): path
        case .bytes(let bytes): "model of \(bytes.count) bytes"
        }
    }

    /// The demo model's file.
    package static var demoBytes: [UInt8] {
        [UInt8](UnsafeRawBufferPointer(start: apus_demo_model_bytes(), count: apus_demo_model_size()))
    }

    var source: ModelSource {
        switch self {
        case .demo:
            .embedded(name: "the demo model") {
                UnsafeRawBufferPointer(start: apus_demo_model_bytes(), count: apus_demo_model_size())
            }
        case .file(let path): .file(path)
        case .bytes(let bytes): .bytes(bytes)
        }
    }
}
