package import Apus
internal import Foundation
internal import ModelTools
internal import Remedies

/// Downloads a published checkpoint, exports it and converts the model, for `apus pull`.
package struct CheckpointPull: Sendable {
    package struct Result: Sendable {
        /// The checkpoint's name, which `ModelStore` finds the model by.
        package var name: String
        /// The downloaded file.
        package var checkpoint: String
        /// The model's file.
        package var model: String
        package var result: CheckpointExport.Result
    }

    private let checkpoint: PublishedCheckpoint
    private let address: String
    private let precision: CheckpointExport.Precision
    private let check: CheckPolicy
    private let models: String
    private let downloads: String

    package init(
        checkpoint: PublishedCheckpoint, address: String = PublishedCheckpoint.address,
        precision: CheckpointExport.Precision, check: CheckPolicy, models: String = ModelStore.folder,
        downloads: String = ModelStore.checkpoints
    ) {
        self.checkpoint = checkpoint
        self.address = address
        self.precision = precision
        self.check = check
        self.models = models
        self.downloads = downloads
    }

    package func run(observer: @escaping WorkflowObserver = { _ in }) async throws -> Result {
        let path = try await CheckpointDownload(
            checkpoint: checkpoint, address: address, folder: downloads, observer: observer
        ).run()
        try Folder.make(models)
        let output = "\(models)/\(checkpoint.name).onnx"
        var settings = CheckpointExport.Settings()
        settings.network.isDilated = checkpoint.isDilated
        settings.export.hasPadding = true
        settings.precision = precision
        let result = try await CheckpointExport(checkpoint: path, output: output, settings: settings, check: check)
            .run(observer: observer)
        return Result(name: checkpoint.name, checkpoint: path, model: output, result: result)
    }
}

enum Folder {
    static func make(_ path: String) throws(ApusError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw ApusError(
                .option, doing: "create the folder \(path)", cause: error.localizedDescription,
                remedy: "Make sure that you may write there, or set XDG_DATA_HOME and XDG_CACHE_HOME.")
        }
    }
}
