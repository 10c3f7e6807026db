import Apus
import CommandSupport
import Foundation

/// Prints image reports as they arrive: results on standard output; failures, warnings and progress on standard error.
struct DetectionOutput {
    private let format: DetectCommand.Format
    private let total: Int
    private var done = 0
    private var progress: ProgressBar
    /// Whether every image so far succeeded.
    private(set) var succeeded = true

    init(format: DetectCommand.Format, total: Int) {
        self.format = format
        self.total = total
        progress = ProgressBar(total: total)
        progress.draw()
    }

    mutating func write(_ report: ImageReport) throws {
        let text = try render(report)
        if let warning = report.warning {
            progress.clear()
            Terminal.warn("\(report.image) is damaged, but could be read (\(warning))")
        }
        write(text)
    }

    /// - Parameter reports: whether to show the error on standard error too.
    mutating func write(_ error: any Error, of entry: ImageInput.Found, reports: Bool = true) {
        succeeded = false
        let failure = error as? ApusError ?? ApusError(.inference, doing: "process \(entry.name)", cause: "\(error)")
        if reports {
            progress.clear()
            Terminal.report(failure)
        }
        write(render(failure, of: entry))
    }

    private mutating func write(_ text: String) {
        var text = text
        if format == .json {
            text = (done == 0 ? "[\n" : "") + text + (done == total - 1 ? "\n]\n" : ",\n")
        }
        done += 1
        progress.clear()
        Terminal.write(text, to: .standardOutput)
        progress.advance()
    }

    private func render(_ report: ImageReport) throws -> String {
        switch format {
        case .text: TextReport.table(report) + "\n"
        case .json: try encoded(report)
        case .jsonl: try encoded(report) + "\n"
        }
    }

    private func render(_ failure: ApusError, of entry: ImageInput.Found) -> String {
        let json = try? encoded(ImageFailure(name: entry.name, error: failure))
        switch format {
        case .text: return ""
        case .json: return json ?? "null"
        case .jsonl: return json.map { $0 + "\n" } ?? ""
        }
    }

    private func encoded(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if format == .json { encoder.outputFormatting.insert(.prettyPrinted) }
        return TerminalText.json(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
