internal import Apus
package import ModelTools
package import ONNX
package import Remedies

/// Turns a checkpoint file into a model file, for `apus export` and `apus pull`.
package struct CheckpointExport: Sendable {
    package enum Precision: String, CaseIterable, Sendable {
        case f32, f16
    }

    /// Settings that the checkpoint doesn't contain; nil uses its configuration or the published models' values.
    package struct Settings: Sendable {
        package var export = DETRExportOptions()
        package var network = DETROptions()
        package var labels: [Int: String]?
        package var resize: ModelMetadata.Resize?
        package var precision = Precision.f32

        package init() {}
    }

    package struct Result: Sendable {
        package var checkpoint: Checkpoint
        package var export: DETRExport
        package var assumptions: [Note]
        package var conversion: PrecisionReport?
        package var made: CheckedModel
        package var building: Duration
    }

    package var checkpoint: String
    package var output: String
    package var settings: Settings
    package var check: CheckPolicy

    package init(checkpoint: String, output: String, settings: Settings, check: CheckPolicy) {
        self.checkpoint = checkpoint
        self.output = output
        self.settings = settings
        self.check = check
    }

    /// - Throws: `ApusError`. No file is left behind then.
    package func run(observer: WorkflowObserver = { _ in }) async throws -> Result {
        let doing = "export \(checkpoint)"
        try CheckedModel.check(output, isNot: checkpoint, doing: doing)
        let clock = ContinuousClock()
        let start = clock.now
        let file = try ModelToolsError.wrapping(doing: "read the checkpoint \(checkpoint)", .checkpoint) {
            try Checkpoint(path: checkpoint)
        }
        let (export, assumptions) = try ModelToolsError.wrapping(doing: doing, .checkpoint) {
            try build(file)
        }
        var model = export.model
        var conversion: PrecisionReport?
        if settings.precision == .f16 {
            (model, conversion) = try ModelToolsError.wrapping(doing: "convert the model to f16") {
                var options = PrecisionOptions()
                options.keepsIO = true
                let (model, report) = try PrecisionConverter.convert(export.model, options)
                return (model, report)
            }
        }
        let building = clock.now - start
        let made = try await CheckedModel.write(
            model, to: output, doing: doing, tolerance: settings.precision == .f16 ? .f16 : .f32, policy: check,
            observer: observer
        ) {
            let reference = try ModelToolsError.wrapping(doing: doing) { try export.reference() }
            return try CheckedModel.subject(reference, name: "the network of the reference implementation")
        }
        return Result(
            checkpoint: file, export: export, assumptions: assumptions, conversion: conversion, made: made,
            building: building)
    }

    private func build(_ file: Checkpoint) throws(ModelToolsError) -> (DETRExport, [Note]) {
        let configuration = try ModelConfiguration(besideCheckpoint: checkpoint)
        let weights = try DETRWeights(file, options: settings.network, configuration: configuration)
        var assumptions = weights.assumptions
        var preprocessing = try PreprocessorConfiguration(besideCheckpoint: checkpoint)
        if let resize = settings.resize {
            preprocessing.resize = resize
        } else {
            let origin = preprocessing.hasOwnResize ? "from preprocessor_config.json" : "as DETR was trained"
            assumptions.append(
                "images are resized to \(preprocessing.resize.shortest) pixels, at most \(preprocessing.resize.longest), \(origin)"
            )
        }
        let (labels, assumption) = labels(configuration, classes: weights.architecture.classes)
        if let assumption { assumptions.append(assumption) }
        let export = try DETRExport(
            file, weights: weights, options: settings.export,
            description: .init(labels: labels, preprocessing: preprocessing, version: Apus.version))
        export.startDigest()
        return (export, assumptions)
    }

    private func labels(_ configuration: ModelConfiguration?, classes: Int) -> ([Int: String]?, Note?) {
        if let labels = settings.labels { return (labels, nil) }
        if let labels = configuration?.labels { return (labels, "class names from config.json") }
        guard classes == LabelMap.cocoClassCount else {
            return (nil, "class names are unknown (\(setting: .labels))")
        }
        return (LabelMap.coco.names, "COCO's class names, as there are \(classes) classes (\(setting: .labels))")
    }
}
