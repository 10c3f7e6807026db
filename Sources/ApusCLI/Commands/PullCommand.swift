import Apus
import ApusWorkflows
import ArgumentParser
import CommandSupport
import Foundation
import ModelTools

struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Download a published DETR checkpoint and convert it to a model.",
        discussion: """
            Without a name, lists the checkpoints. Resumes an interrupted download and verifies its SHA-256, then exports, \
            converts and checks the model. `apus detect --model NAME` then finds it.

            Pulled models have a valid_sizes input, so images of different sizes can share a batch and a fixed-size model \
            need not stretch them. Without padding, the results are the same.

            Examples:
              apus pull
              apus pull detr-r50
              apus pull detr-r101-dc5 --precision f32 --url http://mirror.local/detr
            """)

    @Argument(
        help: "The name of a checkpoint, such as detr-r50.", completion: .list(PublishedCheckpoint.all.map(\.name)))
    var name: String?

    @Option(
        help: ArgumentHelp("The base URL of the checkpoints.", valueName: "address"))
    var url = PublishedCheckpoint.address

    @Option(help: "The precision the model computes in; inputs and outputs are always f32.")
    var precision = CheckpointExport.Precision.f16

    @OptionGroup var check: CheckOptions

    func validate() throws {
        guard let name else { return }
        guard PublishedCheckpoint.all.contains(where: { $0.name == name }) else {
            let names = PublishedCheckpoint.all.map(\.name).joined(separator: ", ")
            throw ValidationError("\(name) is not a published checkpoint. Available: \(names).")
        }
    }

    mutating func run() async throws {
        guard let checkpoint = PublishedCheckpoint.all.first(where: { $0.name == name }) else {
            for checkpoint in PublishedCheckpoint.all {
                let isHere = FileManager.default.fileExists(atPath: ModelStore.path(named: checkpoint.name))
                Terminal.print(
                    checkpoint.name.padding(toLength: 16, withPad: " ", startingAt: 0)
                        + String(format: "COCO AP %.1f", checkpoint.averagePrecision) + (isHere ? "  pulled" : ""))
            }
            return
        }
        try await Terminal.reporting {
            let pull = CheckpointPull(
                checkpoint: checkpoint, address: url, precision: precision, check: check.policy)
            ModelReport.print(try await pull.run(observer: Terminal.observer()).lines)
        }
        Terminal.exit(0)
    }
}

extension CheckpointPull.Result {
    var lines: [(String, String)] {
        [("download", checkpoint)] + result.lines(path: model) + [("use", "apus detect --model \(name) image.jpg")]
    }
}
