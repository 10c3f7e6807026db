import ApusWorkflows
import CommandSupport
import Foundation

/// A progress bar on standard error for large transfers; nothing if it is not a terminal, or if the transfer ends at once.
struct ByteProgress {
    private let what: String
    private let isShown = isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    private let start = ContinuousClock.now
    private var shown: ContinuousClock.Instant

    init(_ what: String) {
        self.what = what
        shown = start
    }

    /// Removes the bar, so that other lines can be written.
    func clear() { if isShown, shown != start { Terminal.redraw("") } }

    mutating func show(_ done: Int, of total: Int) {
        let now = ContinuousClock.now
        guard isShown, total > 0, now - shown > .milliseconds(200) else { return }
        shown = now
        let width = 30
        let filled = min(width, width * done / total)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        let rate = Double(done) / (now - start).seconds
        Terminal.redraw(
            "\(what) \(bar) \(Megabytes.text(done)) of \(Megabytes.text(total)), \(Megabytes.text(Int(rate)))/s")
    }
}
