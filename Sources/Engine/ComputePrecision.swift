internal import Remedies

/// The precision that a device computes in.
package enum ComputePrecision: String, Sendable, CaseIterable {
    case f32, bf16, f16

    /// Refuses a precision that the OpenVINO device doesn't support; unknown device names pass.
    ///
    /// - Parameter device: OpenVINO's name, such as "GPU.1".
    /// - Throws: `invalidOption`.
    package func require(on device: String) throws(EngineError) {
        let refusal: (cause: String, remedy: Remedy)
        switch (device.prefix(while: { $0 != "." }), self) {
        case ("CPU", .f16):
            refusal = (
                "OpenVINO's CPU device computes in f32 or bf16",
                "Use \(setting: .precision, "f32") or bf16, or \(setting: .device, "gpu")."
            )
        case ("GPU", .bf16):
            refusal = ("OpenVINO's GPU device computes in f32 or f16", "Use \(setting: .precision, "f16").")
        case ("NPU", .f32), ("NPU", .bf16):
            refusal = ("the NPU computes in f16", "Use \(setting: .precision, "f16").")
        default: return
        }
        throw EngineError(
            .invalidOption, doing: "use OpenVINO with precision \(rawValue)", cause: refusal.cause,
            remedy: refusal.remedy)
    }
}
