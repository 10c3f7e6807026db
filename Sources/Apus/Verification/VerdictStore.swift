internal import Files
internal import Foundation

/// Whether a model's results on a device were compared with the reference's, and the outcome.
public struct VerificationStatus: Sendable, Codable, Equatable {
    /// The outcome of the comparison.
    public enum State: String, Sendable, Codable {
        /// The results agreed.
        case yes
        /// The results differed.
        case no
        /// They were never compared; use `apus verify`.
        case never
    }

    /// The outcome of the comparison.
    public var state: State
    /// When they were compared, such as "2026-11-22T10:15:00Z"; nil if never.
    public var date: String?
    /// What was found, in one sentence; nil if never compared.
    public var summary: String?

    package init(state: State, date: String? = nil, summary: String? = nil) {
        self.state = state
        self.date = date
        self.summary = summary
    }

    static let never = VerificationStatus(state: .never)
}

/// What a device's results are compared with.
public enum VerificationReference: String, Sendable, CaseIterable {
    /// ONNX Runtime's own CPU kernels, which share no code with OpenVINO.
    case cpu = "cpu-f32"
    /// OpenVINO's CPU device at f32.
    case openVINO = "openvino-cpu-f32"
}

/// Verdicts of `apus verify`, one file each, keyed by what they hold for: model, device, driver, versions and precision.
package struct VerdictStore: Sendable {
    private let folder: String

    /// - Parameter folder: nil for `$XDG_STATE_HOME/apus/verdicts`, else `~/.local/state/apus/verdicts`.
    package init(folder: String? = nil) { self.folder = folder ?? VerdictStore.standardFolder }

    package static var standardFolder: String { UserFolder.state + "/verdicts" }

    private struct Record: Codable {
        var key: CompiledModelStore.Key
        var status: VerificationStatus
    }

    /// The stored verdict; a file that cannot be read counts as never verified.
    package func status(of key: CompiledModelStore.Key) -> VerificationStatus {
        guard let bytes = try? BoundedFile.bytes(atPath: path(of: key), limit: 1_000_000),
            let record = try? JSONDecoder().decode(Record.self, from: Data(bytes)), record.key == key
        else { return .never }
        return record.status
    }

    package func store(_ status: VerificationStatus, for key: CompiledModelStore.Key) throws(ApusError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try encoder.encode(Record(key: key, status: status)).write(
                to: URL(fileURLWithPath: path(of: key)), options: .atomic)
        } catch {
            throw ApusError(
                .verification, doing: "store the verdict in \(folder)", cause: error.localizedDescription,
                remedy: "Make sure that you may write there, or set XDG_STATE_HOME to a writable folder.")
        }
    }

    private func path(of key: CompiledModelStore.Key) -> String { "\(folder)/\(key.digest).json" }
}
