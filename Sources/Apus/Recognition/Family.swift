/// A family of detection models, as `Detector.Configuration.family` chooses it.
public struct Family: Hashable, Sendable, CustomStringConvertible {
    /// The name, such as "detr".
    public let name: String

    /// DETR (Carion et al., 2020): softmax scores, the last class being "no object".
    public static let detr = Family(name: "detr")

    /// The families that this version decodes.
    public static let all = ModelFamilies.all.map { Family(name: $0.name) }

    private init(name: String) { self.name = name }

    /// The family of this name; nil if this version knows none.
    public init?(_ name: String) {
        guard let family = Family.all.first(where: { $0.name == name.lowercased() }) else { return nil }
        self = family
    }

    /// The name.
    public var description: String { name }
}
