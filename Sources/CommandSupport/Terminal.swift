import Apus
import ArgumentParser
package import Foundation
internal import Remedies

/// The command's output: results on standard output, everything else on standard error.
package enum Terminal {
    package static func print(_ text: String) { write(text + "\n", to: .standardOutput) }

    /// Writes text with control characters escaped.
    package static func write(_ text: String, to file: FileHandle) { put(TerminalText.escaped(text), to: file) }

    /// Replaces the current line on standard error, for progress; an empty line clears it.
    package static func redraw(_ line: String) {
        put("\r\u{1B}[K" + TerminalText.escaped(line, keepingLines: false), to: .standardError)
    }

    private static func put(_ text: String, to file: FileHandle) {
        do {
            try file.write(contentsOf: Data(text.utf8))
        } catch  where file === FileHandle.standardOutput {
            // A full disk, for example. (A closed reader, as in `apus … | head`, ends the command with SIGPIPE.)
            report(
                ApusError(
                    .option, doing: "write to standard output", cause: error.localizedDescription,
                    remedy: "Further results are lost: free disk space, or write elsewhere."))
            exit(1)
        } catch {
            // Nowhere left to report it.
        }
    }

    package static func report(_ error: any Error) { write(describe(error), to: .standardError) }

    package static func warn(_ text: String) {
        write("apus: warning: \(TerminalText.escaped(text, keepingLines: false))\n", to: .standardError)
    }

    /// "apus: could not …: …" and the remedy, indented.
    package static func describe(_ error: any Error) -> String {
        // Escapes first: "\r\n" is one character, which does not equal a newline.
        let text = (error as? ApusError)?.text(for: .command) ?? "\(error)"
        let lines = TerminalText.escaped(text).split(separator: "\n", omittingEmptySubsequences: true)
        return "apus: " + lines.joined(separator: "\n      ") + "\n"
    }

    /// Exits immediately. Output is unbuffered and files are closed, so nothing is lost. Skips the runtime's teardown, which
    /// takes tens of milliseconds.
    package static func exit(_ code: Int32) -> Never { _exit(code) }

    /// Runs `body`; prints an error to standard error and exits with code 1.
    package static func reporting<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as ApusError {
            report(error)
            throw ExitCode(1)
        }
    }

    /// The async variant.
    package static func reporting<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as ApusError {
            report(error)
            throw ExitCode(1)
        }
    }
}
