internal import Apus
internal import Foundation
package import Logging

/// Logs one line per message to standard error, as text or JSON.
package struct ServerLog: LogHandler {
    package enum Format: String, Sendable, CaseIterable {
        case text, json
    }

    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    private let label: String
    private let format: Format

    package init(label: String, format: Format, level: Logger.Level) {
        self.label = label
        self.format = format
        logLevel = level
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// A value sent by a client must not forge a log line or control a terminal.
    package static func oneLine(_ text: String) -> String { TerminalText.escaped(text, keepingLines: false) }

    package func log(event: LogEvent) {
        var all = metadata
        if let own = event.metadata { all.merge(own) { $1 } }
        let time = Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        var line: String
        switch format {
        case .text:
            let pairs = all.sorted { $0.key < $1.key }.map { key, value in
                let text = ServerLog.oneLine("\(value)")
                return " \(key)="
                    + (text.contains(" ") || text.isEmpty ? "\"\(text.replacing("\"", with: "'"))\"" : text)
            }
            line = "\(time) \(event.level) \(ServerLog.oneLine("\(event.message)"))" + pairs.joined()
        case .json:
            var object: [String: String] = all.mapValues { "\($0)" }
            object["time"] = time
            object["level"] = "\(event.level)"
            object["message"] = "\(event.message)"
            object["logger"] = label
            let data = try? JSONSerialization.data(
                withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
            line = data.map { TerminalText.json(String(decoding: $0, as: UTF8.self)) } ?? ""
        }
        line += "\n"
        // One write per line, so that lines of several threads do not mix.
        let bytes = Array(line.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
