/// The device that runs a model.
public enum Device: Hashable, Sendable, CustomStringConvertible {
    /// The best that OpenVINO finds: a discrete Intel GPU, then an integrated one, then the CPU. Chosen once, and reported.
    case auto
    /// The CPU.
    case cpu
    /// A GPU by its number; nil for the first.
    case gpu(Int?)
    /// The NPU.
    case npu

    /// Parses `auto`, `cpu`, `gpu`, `gpu.1` or `npu`, case-insensitively.
    public init?(_ text: String) {
        let text = text.lowercased()
        if let device = Device.named.first(where: { $0.description == text }) {
            self = device
            return
        }
        guard text.hasPrefix("gpu."), let number = Int(text.dropFirst(4)), number >= 0 else { return nil }
        self = .gpu(number)
    }

    private static let named: [Device] = [.auto, .cpu, .gpu(nil), .npu]

    /// What `init(_:)` parses, for help and errors.
    package static let choices = named.flatMap { $0 == .gpu(nil) ? ["\($0)", "\($0).N"] : ["\($0)"] }

    /// The choices for shell completion, which completes whole words.
    package static let examples = named.flatMap { device in
        (device == .gpu(nil) ? [device, .gpu(0), .gpu(1)] : [device]).map(\.description)
    }

    /// The name that `init(_:)` parses.
    public var description: String {
        switch self {
        case .auto: "auto"
        case .cpu: "cpu"
        case .gpu(nil): "gpu"
        case .gpu(let number?): "gpu.\(number)"
        case .npu: "npu"
        }
    }

    /// OpenVINO's name; nil for `auto`.
    package var openVINOName: String? {
        switch self {
        case .auto: nil
        case .cpu: "CPU"
        case .gpu(nil): "GPU"
        case .gpu(let number?): "GPU.\(number)"
        case .npu: "NPU"
        }
    }
}

/// The precision that the device computes in.
public enum Precision: String, Sendable, CaseIterable, Encodable {
    /// The device's own: f32 on a CPU, f16 on a GPU and an NPU.
    case auto
    /// 32-bit floating point.
    case f32
    /// bfloat16: the range of f32 with a fraction of 7 bits.
    case bf16
    /// 16-bit floating point.
    case f16
}

/// The provider of the kernels that run the model.
public enum Provider: String, Sendable, CaseIterable {
    /// OpenVINO, or ONNX Runtime's CPU kernels if the runtime was built without OpenVINO; the choice is reported.
    case auto
    /// Intel's OpenVINO: CPU, GPU and NPU.
    case openVINO = "openvino"
    /// ONNX Runtime's own CPU kernels.
    case cpu
}
