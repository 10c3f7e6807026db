import Apus
import ApusWorkflows
import ArgumentParser
import Foundation
import Remedies

/// What the command says: results on standard output, all else on standard error.
enum Terminal {
    static func print(_ text: String) { write(text + "\n", to: .standardOutput) }

    /// Writes text, in which what a terminal would act on is shown by its number.
    static func write(_ text: String, to file: FileHandle) { put(TerminalText.escaped(text), to: file) }

    /// Puts a line on standard error in place of the one that is there; an empty one removes it. For progress.
    static func redraw(_ line: String) {
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

    static func report(_ error: any Error) { write(describe(error), to: .standardError) }

    static func warn(_ text: String) {
        write("apus: warning: \(TerminalText.escaped(text, keepingLines: false))\n", to: .standardError)
    }

    /// "apus: could not …: …", and what to do, indented.
    static func describe(_ error: any Error) -> String {
        // Escaped first: a return and a newline are one character, which is not a newline.
        let text = (error as? ApusError)?.text(for: .command) ?? "\(error)"
        let lines = TerminalText.escaped(text).split(separator: "\n", omittingEmptySubsequences: true)
        return "apus: " + lines.joined(separator: "\n      ") + "\n"
    }

    /// Ends the process at once. Output is written unbuffered and files are closed, so nothing is lost; what is left out
    /// is the runtime's taking apart of itself, tens of milliseconds that the process's end makes needless.
    static func exit(_ code: Int32) -> Never { _exit(code) }

    /// Runs `body`; an error is written to standard error and ends the command with code 1.
    static func reporting<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as ApusError {
            report(error)
            throw ExitCode(1)
        }
    }

    /// The same for work that waits.
    static func reporting<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as ApusError {
            report(error)
            throw ExitCode(1)
        }
    }

    /// Shows what a workflow reports: a bar while bytes move, warnings as lines.
    static func observer() -> WorkflowObserver {
        let bars = Bars()
        return { event in
            switch event {
            case .progress(let step, let done, let total): bars.show(step, done, of: total)
            case .finished(let step): bars.clear(step)
            case .warning(let text): warn(text)
            }
        }
    }

    private final class Bars: @unchecked Sendable {  // touched under the lock only
        private let lock = NSLock()
        private var bars: [String: ByteProgress] = [:]

        func show(_ step: String, _ done: Int, of total: Int) {
            lock.withLock { bars[step, default: ByteProgress(step)].show(done, of: total) }
        }

        func clear(_ step: String) { lock.withLock { bars.removeValue(forKey: step)?.clear() } }
    }
}
