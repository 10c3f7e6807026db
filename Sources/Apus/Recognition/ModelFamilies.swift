internal import Engine
internal import ONNX
internal import Remedies

/// A model's family, and how it was determined.
package struct RecognizedFamily: Sendable {
    package var name: String
    package var family: any ModelAdapter
    package var evidence: String

    package init(_ family: some ModelFamily, evidence: String) {
        name = type(of: family).name
        self.family = family
        self.evidence = evidence
    }

    /// A family that the caller defines.
    package init(_ custom: CustomFamily, _ model: ModelDescription) throws(ApusError) {
        name = custom.name
        family = try CustomAdapter(custom, model)
        evidence = "as the program defines it"
    }
}

/// The families that Apus decodes, and how a model's family is determined.
///
/// A model is decoded only if its family is certain. Evidence, strongest first: the user's choice, the file's metadata, Hugging
/// Face's `config.json`, a signature that only one family has.
package enum ModelFamilies {
    package static let all: [any ModelFamily.Type] = [DETR.self]

    /// - Parameters:
    ///   - chosen: the family that the user chose; nil for none.
    ///   - families: the families to recognize.
    /// - Throws: `ApusError` with code `ambiguousModel` if the model could be of several families, `notADetector` if it is of
    ///   none, `model` if it contradicts itself.
    package static func recognize(
        _ model: ModelDescription, chosen: Family? = nil, among families: [any ModelFamily.Type] = all
    ) throws(ApusError) -> RecognizedFamily {
        if let chosen {
            let type = try named(chosen.name, among: families, model, "the chosen family is")
            return RecognizedFamily(
                try make(type, model, "the chosen family is \(chosen)"), evidence: "as chosen")
        }
        if let name = model.metadata.family?.lowercased() {
            let type = try named(name, among: families, model, "its metadata declares the family")
            return RecognizedFamily(
                try make(type, model, "its metadata declares the family \(name)"),
                evidence: "from its metadata")
        }
        if let modelType = model.companions.modelType, model.metadata.scoring == nil {
            return try recognize(model, modelType: modelType, among: families)
        }
        return try recognizeGraph(model, among: families)
    }

    private static func named(
        _ name: String, among families: [any ModelFamily.Type], _ model: ModelDescription, _ says: String
    ) throws(ApusError) -> any ModelFamily.Type {
        if let family = families.first(where: { $0.name == name }) { return family }
        throw ApusError(
            .notADetector, doing: "use \(model.title)", cause: "\(says) \(name)",
            remedy:
                "This version of Apus knows \(families.map { $0.name }.joined(separator: ", ")). If the model is one of "
                + "these, choose it: \(setting: .family).")
    }

    /// By Hugging Face's `config.json`.
    private static func recognize(
        _ model: ModelDescription, modelType: String, among families: [any ModelFamily.Type]
    ) throws(ApusError) -> RecognizedFamily {
        let path = model.companions.paths.first ?? "config.json"
        guard let type = families.first(where: { $0.modelTypes.contains(modelType) }) else {
            let undecoded = UndecodedFamily.all.first { $0.modelTypes.contains(modelType) }
            throw ApusError(
                .notADetector, doing: "use \(model.title)",
                cause: "\(path) declares model_type \(modelType)"
                    + (undecoded.map { " (\($0.name): \($0.decoding)), which this version of Apus doesn't decode" }
                        ?? ", which is not a detector that Apus knows"),
                remedy: "If the file belongs to another model, choose the family: "
                    + "\(setting: .family, families.map { $0.name }.joined(separator: " or "))")
        }
        return RecognizedFamily(
            try make(type, model, "\(path) declares model_type \(modelType)"),
            evidence: "model_type \(modelType) in \(path)")
    }

    /// By the graph alone.
    private static func recognizeGraph(
        _ model: ModelDescription, among families: [any ModelFamily.Type]
    ) throws(ApusError) -> RecognizedFamily {
        let claims = families.map { (type: $0, claim: $0.claim(model)) }
        let certain = claims.compactMap { type, claim in
            if case .certain(let evidence) = claim { (type: type, evidence: evidence) } else { nil }
        }
        if certain.count == 1, let only = certain.first {
            return RecognizedFamily(
                try make(only.type, model, ""),
                evidence: ([only.evidence] + model.companions.ignored).joined(separator: "; "))
        }
        let possible = certain.isEmpty ? claims.filter { $0.claim == .possible }.map(\.type) : certain.map(\.type)
        let undecoded = UndecodedFamily.all.filter { family in
            family.fits(model) && !families.contains { $0.name == family.name }
        }
        guard possible.isEmpty else { throw ambiguous(model, possible, undecoded) }
        let refusals = claims.compactMap { type, claim in
            if case .never(let why) = claim { "It isn't \(type.name): \(why)." } else { nil }
        }
        let signature = "Its inputs are \(list(model.inputs)), its outputs \(list(model.outputs))."
        throw ApusError(
            .notADetector, doing: "use \(model.title)",
            cause: (["it is not a detector that Apus decodes.", signature] + refusals).joined(separator: " ")
                + (undecoded.isEmpty ? "" : " It could be\n" + table([], undecoded)),
            remedy: families.map { $0.expectation }.joined(separator: "\n"))
    }

    private static func ambiguous(
        _ model: ModelDescription, _ possible: [any ModelFamily.Type], _ undecoded: [UndecodedFamily]
    ) -> ApusError {
        ApusError(
            .ambiguousModel, doing: "use \(model.title)",
            cause: "its family is not certain. Outputs \(list(model.outputs)) are those of\n"
                + ([table(possible, undecoded)] + model.companions.ignored).joined(separator: "\n"),
            remedy: "If you know that it is one of these, choose it: "
                + "\(setting: .family, possible.map { $0.name }.joined(separator: " or "))"
                + ". Or keep the model's config.json next to it.")
    }

    /// Families and how they decode, one per line.
    private static func table(_ possible: [any ModelFamily.Type], _ undecoded: [UndecodedFamily]) -> String {
        let rows =
            possible.map { ($0.name, $0.decoding) }
            + undecoded.map { ($0.name, $0.decoding + " (not supported by this version)") }
        let width = (rows.map(\.0.count).max() ?? 0) + 2
        return rows.map { name, decoding in
            "  \(name)\(String(repeating: " ", count: width - name.count))\(decoding)"
        }.joined(separator: "\n")
    }

    /// - Parameter says: what determined the family, for the error if the graph contradicts it.
    private static func make(
        _ type: any ModelFamily.Type, _ model: ModelDescription, _ says: String
    ) throws(ApusError) -> any ModelFamily {
        if case .never(let why) = type.claim(model) {
            throw ApusError(
                .notADetector, doing: "use \(model.title)", cause: "\(says), but \(why)", remedy: type.expectation)
        }
        do {
            return try type.init(model.keepingCompanions(of: type.modelTypes))
        } catch {
            var named = error
            named.doing = "use \(model.title)"
            throw named
        }
    }

    private static func list(_ values: [ValueInfo]) -> String {
        values.isEmpty ? "none" : BoundedText(values.map(\.description).joined(separator: "; ")).description
    }
}
