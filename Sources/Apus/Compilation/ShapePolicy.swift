internal import Remedies

/// Which input sizes a model is compiled for.
///
/// A GPU compiles a model for each input size, which takes seconds. With a few canvases, to which images are padded, it never
/// compiles while serving.
public enum ShapePolicy: Hashable, Sendable, CustomStringConvertible {
    /// The best for the device: exact on a CPU; padded on a GPU or NPU if an input of the model marks padding.
    case auto
    /// Each image at exactly the size that the model's resize rule yields.
    case exact
    /// Images are padded to the smallest of a few canvases derived from the model's resize rule.
    case padded
    /// Images are padded to the smallest of these canvases that holds them, and scaled down if none does.
    case canvases([PixelSize])

    /// Reads `auto`, `exact`, `padded`, or canvases as `1344x800,800x1344`.
    public init?(_ text: String) {
        let text = text.lowercased()
        if let policy = ShapePolicy.named.first(where: { $0.description == text }) {
            self = policy
            return
        }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let sizes = parts.compactMap { PixelSize($0) }
        guard !sizes.isEmpty, sizes.count == parts.count, sizes.count <= 16 else { return nil }
        self = .canvases(sizes)
    }

    /// The policies that have a name.
    package static let named: [ShapePolicy] = [.auto, .exact, .padded]

    /// Stands for custom canvases in help texts.
    package static let example = ShapePolicy.canvases([
        PixelSize(width: 1344, height: 800), PixelSize(width: 800, height: 1344),
    ])

    /// The text that `init(_:)` reads.
    public var description: String {
        switch self {
        case .auto: "auto"
        case .exact: "exact"
        case .padded: "padded"
        case .canvases(let sizes): sizes.map(\.description).joined(separator: ",")
        }
    }
}

/// A policy resolved for a model on a device, and why.
struct ShapePlan: Sendable {
    /// Canvases, smallest first; empty for exact sizes.
    var canvases: [PixelSize]
    var reason: String
    /// Whether a new image size makes the device compile.
    var stalls: Bool

    init(_ policy: ShapePolicy, family: any ModelAdapter, device: String, isOwnKernels: Bool) throws(ApusError) {
        let isCPU = isOwnKernels || device == "CPU"
        switch policy {
        case .exact:
            (canvases, reason) = ([], "exact sizes were requested")
        case .auto where isCPU:
            // Measured with DETR-R50 on OpenVINO's CPU: a new size costs at most a tenth of a run, padding a fifth.
            (canvases, reason) = ([], "exact sizes, which cost a CPU nothing")
        case .auto:
            canvases = family.padding?.canvases ?? []
            reason =
                canvases.isEmpty
                ? (family.inputs.hasFixedSize
                    ? "the model's own fixed size"
                    : "exact sizes, as the model has no input that marks padding")
                : "padded, so that no new image size has to be compiled"
        case .padded, .canvases:
            guard let padding = family.padding else {
                throw ApusError(
                    .option, doing: "use shapes \(policy)",
                    cause: family.inputs.hasFixedSize
                        ? "the model's size is fixed already"
                        : "the model has no input that marks padding",
                    remedy: family.inputs.hasFixedSize
                        ? "Use \(setting: .shapes, "auto")."
                        : "Export it with padding (apus export \(setting: .padding)), or use \(setting: .shapes, "exact")."
                )
            }
            if case .canvases(let sizes) = policy {
                canvases = Set(sizes).sorted { ($0.area, $1.width) < ($1.area, $0.width) }
            } else {
                canvases = padding.canvases
            }
            reason = "shapes \(policy) were requested"
        }
        stalls = canvases.isEmpty && !isCPU && !family.inputs.hasFixedSize
    }
}
