import Apus
import Foundation
import ModelTools
import ONNX
import Remedies

/// From a checkpoint's file to a model's file: what `apus export` does, and `apus pull` after it.
struct CheckpointExport {
    enum Precision: String, CaseIterable {
        case f32, f16
    }

    var checkpoint: String
    var output: String
    var options: ExportOptions
    var hasPadding: Bool
    var precision: Precision
    var check: CheckOptions
    /// What the checkpoint is called, where that is not the name of its file.
    var name: String?

    struct Result {
        var checkpoint: Checkpoint
        var export: DETRExport
        var assumptions: [String]
        var conversion: PrecisionReport?
        var made: ModelMaker.Made
        var building: Duration
    }

    func run() async throws -> Result {
        let doing = "export \(checkpoint)"
        try ModelMaker.check(output, isNot: checkpoint, doing: doing)
        let clock = ContinuousClock()
        let start = clock.now
        let given = try options.labels.map { try LabelMap(contentsOfFile: $0).names }
        let file = try ModelToolsError.wrapping(doing: "read the checkpoint \(checkpoint)", .checkpoint) {
            try Checkpoint(path: checkpoint)
        }
        let (export, assumptions) = try ModelToolsError.wrapping(doing: doing, .checkpoint) {
            try build(file, labels: given)
        }
        var model = export.model
        var conversion: PrecisionReport?
        if precision == .f16 {
            (model, conversion) = try ModelToolsError.wrapping(doing: "convert the model to f16") {
                var options = PrecisionOptions()
                options.keepsIO = true
                let (model, report) = try PrecisionConverter.convert(export.model, options)
                return (model, report)
            }
        }
        let building = clock.now - start
        let made = try await ModelMaker.write(
            model, to: output, doing: doing, tolerance: precision == .f16 ? .f16 : .f32, options: check
        ) {
            let reference = try ModelToolsError.wrapping(doing: doing) { try export.reference() }
            return try ModelMaker.subject(reference, name: "the network as the reference implementation has it")
        }
        return Result(
            checkpoint: file, export: export, assumptions: assumptions, conversion: conversion, made: made,
            building: building)
    }

    private func build(
        _ file: Checkpoint, labels given: [Int: String]?
    ) throws(ModelToolsError) -> (DETRExport, [String]) {
        let configuration = try ModelConfiguration(besideCheckpoint: checkpoint)
        let weights = try DETRWeights(
            file, options: DETROptions(heads: options.heads, isDilated: options.dc5), configuration: configuration)
        var assumptions = weights.assumptions.map { $0.text(for: .command) }
        var preprocessing = try PreprocessorConfiguration(besideCheckpoint: checkpoint)
        if let shortest = options.shortest, let longest = options.longest {
            preprocessing.resize = .init(shortest: shortest, longest: longest)
        } else {
            assumptions.append(
                "images are resized to \(preprocessing.resize.shortest) pixels, at most \(preprocessing.resize.longest), "
                    + (preprocessing.isFromFile ? "from preprocessor_config.json" : "as DETR was trained"))
        }
        var labels = given
        if labels == nil, let named = configuration?.labels {
            labels = named
            assumptions.append("the names of the classes, from config.json")
        } else if labels == nil, weights.architecture.classes == LabelMap.cocoClassCount {
            labels = LabelMap.coco.names
            assumptions.append("COCO's names, as there are \(LabelMap.cocoClassCount) classes (--labels)")
        } else if labels == nil {
            assumptions.append("no names of the classes are known (--labels)")
        }
        var exportOptions = DETRExportOptions()
        exportOptions.opset = options.opset
        exportOptions.batch = options.batch
        exportOptions.height = options.height
        exportOptions.width = options.width
        exportOptions.hasPadding = hasPadding
        let export = try DETRExport(
            file, weights: weights, options: exportOptions,
            description: .init(labels: labels, preprocessing: preprocessing, version: ApusCommand.version))
        export.startDigest()
        return (export, assumptions)
    }
}
