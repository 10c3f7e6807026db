internal import Foundation

/// Downloaded models, by name.
package enum ModelStore {
    /// `$XDG_DATA_HOME/apus/models`, next to the runtime that setup installs.
    package static var folder: String { UserFolder.data + "/models" }

    /// `$XDG_CACHE_HOME/apus/checkpoints`: what can be downloaded again.
    package static var checkpoints: String { UserFolder.cache + "/checkpoints" }

    package static func path(named name: String) -> String { "\(folder)/\(name).onnx" }

    /// The file of a model, given by path or by the name under which it was pulled. An existing path has priority.
    package static func path(of model: String) throws(ApusError) -> String {
        if FileManager.default.fileExists(atPath: model) { return model }
        let isName = model.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
        guard isName, !model.isEmpty else { return model }
        let path = path(named: model)
        guard FileManager.default.fileExists(atPath: path) else {
            let known = PublishedCheckpoint.all.contains { $0.name == model }
            throw ApusError(
                .model, doing: "find the model \(model)",
                cause: "there is no such file, and no model of this name in \(folder)",
                remedy: known
                    ? "Get it: apus pull \(model)" : "Name an .onnx file, or a model that `apus pull` has downloaded.")
        }
        return path
    }
}

/// A checkpoint that the authors of DETR published (github.com/facebookresearch/detr).
package struct PublishedCheckpoint: Sendable {
    package var name: String
    /// The first digits of its SHA-256, which are part of its file name.
    package var digest: String
    package var isDilated: Bool
    /// Average precision on COCO's val5k, as published.
    package var averagePrecision: Double

    package init(name: String, digest: String, isDilated: Bool, averagePrecision: Double) {
        self.name = name
        self.digest = digest
        self.isDilated = isDilated
        self.averagePrecision = averagePrecision
    }

    package var fileName: String { "\(name)-\(digest).pth" }

    /// The authors' download location.
    package static let address = "https://dl.fbaipublicfiles.com/detr"

    package static let all = [
        PublishedCheckpoint(name: "detr-r50", digest: "e632da11", isDilated: false, averagePrecision: 42.0),
        PublishedCheckpoint(name: "detr-r50-dc5", digest: "f0fb7ef5", isDilated: true, averagePrecision: 43.3),
        PublishedCheckpoint(name: "detr-r101", digest: "2c7b67e5", isDilated: false, averagePrecision: 43.5),
        PublishedCheckpoint(name: "detr-r101-dc5", digest: "a2e86def", isDilated: true, averagePrecision: 44.9),
    ]
}
