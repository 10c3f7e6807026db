import Apus
import ArgumentParser
package import Foundation
internal import Remedies

/// The command's output: results on standard output, everything else on standard error.
package enum Terminal {
    package static func print(_ text: String) { write(text + "\n", to: .standardOutput) }

    /// Writes text, in which what a terminal would act on is shown by its number.
    package static func write(_ text: String, to file: FileHandle) { put(TerminalText.escaped(text), to: file) }

    /// Puts a line on standard error in place of the one that is there; an empty one removes it. For progress.
    package static func redraw(_ line: String) {
        put("\r\u{1B}[K" + TerminalText.escaped(line, keepingLines: false), to: .standardError)
    }

    private static func put(_ text: String, to file: FileHandle) {
        do {
            try file.write(contentsOf: Data(text.utf8))
        } catch  where file === FileHandle.standardOutput {
            // A full disk, say. (A reader that went away, as in `apus … | head`, ends the command by SIGPIPE.)
            report(
                ApusError(
                    .option, doing: "write to standard output", cause: error.localizedDescription,
                    remedy: "Results from here on are lost: free space, or write elsewhere."))
            exit(1)
        } catch {
            // Nowhere is left to say it.
        }
    }

    package static func report(_ error: any Error) { write(describe(error), to: .standardError) }

    package static func warn(_ text: String) {
        write("apus: warning: \(TerminalText.escaped(text, keepingLines: false))\n", to: .standardError)
    }

    /// "apus: could not …: …", and what to do, indented.
    package static func describe(_ error: any Error) -> String {
        // Escaped first: a return and a newline are one character, which is not a newline.
        let text = (error as? ApusError)?.text(for: .command) ?? "\(error)"
        let lines = TerminalText.escaped(text).split(separator: "\n", omittingEmptySubsequences: true)
        return "apus: " + lines.joined(separator: "\n      ") + "\n"
    }

    /// Ends the process at once. Output is written unbuffered and files are closed, so nothing is lost; what is left out
    /// is the runtime's taking apart of itself, tens of milliseconds that the process's end makes needless.
    package static func exit(_ code: Int32) -> Never { _exit(code) }

    /// Runs `body`; an error is written to standard error and ends the command with code 1.
    package static func reporting<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as ApusError {
            report(error)
            throw ExitCode(1)
        }
    }

    /// The same for work that waits.
    package static func reporting<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as ApusError {
            report(error)
            throw ExitCode(1)
        }
    }
}
