import Foundation
import Subprocess
import SystemPackage
import TestSupport

/// A run of the built command.
struct Command {
    var status: Int32
    var output: String
    var errors: String
    var outputBytes: [UInt8]

    /// Runs `apus` and waits for it.
    static func run(
        _ arguments: String..., input: [UInt8] = [], environment: [String: String] = [:]
    ) async throws -> Command {
        try await run(executable: apus, arguments, input: input, environment: environment)
    }

    static func run(
        executable: String, _ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:]
    ) async throws -> Command {
        let changes = Dictionary(
            uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0), $1 as String?) })
        let result = try await Subprocess.run(
            .path(FilePath(executable)), arguments: Arguments(arguments), environment: .inherit.updating(changes),
            input: .array(input), output: .bytes(limit: 64 << 20), error: .string(limit: 1 << 20))
        let status: Int32 =
            switch result.terminationStatus {
            case .exited(let code): code
            case .signaled(let signal): -signal
            }
        return Command(
            status: status, output: String(decoding: result.standardOutput, as: UTF8.self),
            errors: result.standardError, outputBytes: result.standardOutput)
    }

    /// The command beside the test bundle.
    static let apus: String = {
        let maps = (try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8)) ?? ""
        let bundle = maps.split(separator: "\n").lazy.compactMap { line in
            line.firstIndex(of: "/").map { String(line[$0...]) }
        }.first { $0.hasSuffix(".xctest") }
        return URL(fileURLWithPath: bundle ?? "").deletingLastPathComponent().appendingPathComponent("apus").path
    }()

    var json: Any? { try? JSONSerialization.jsonObject(with: Data(outputBytes)) }
}
