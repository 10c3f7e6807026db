import Apus
import ApusWorkflows
import ArgumentParser
import CommandSupport
import Foundation
import ModelTools

struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Download a published DETR checkpoint and make a model of it.",
        discussion: """
            Without a name, lists the checkpoints. The download goes on where a broken one stopped, its SHA-256 is checked, \
            and the model is exported, converted and checked; then `apus detect --model NAME` finds it.

            Pulled models take valid_sizes, so pictures of several sizes make a batch and a model of one size need not \
            stretch them; without padding the answers are the same.

            Examples:
              apus pull
              apus pull detr-r50
              apus pull detr-r101-dc5 --precision f32 --url http://mirror.local/detr
            """)

    @Argument(help: "The name of a checkpoint, as detr-r50.", completion: .list(PublishedCheckpoint.all.map(\.name)))
    var name: String?

    @Option(
        help: ArgumentHelp(
            "Where the checkpoints are, in place of \(PublishedCheckpoint.address).", valueName: "address"))
    var url = PublishedCheckpoint.address

    @Option(help: "What the model computes in; its inputs and outputs are f32 in any case.")
    var precision = CheckpointExport.Precision.f16

    @OptionGroup var check: CheckOptions

    func validate() throws {
        guard let name else { return }
        guard PublishedCheckpoint.all.contains(where: { $0.name == name }) else {
            let names = PublishedCheckpoint.all.map(\.name).joined(separator: ", ")
            throw ValidationError("There is no published checkpoint \(name). There are \(names).")
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
