import CommandSupport
import Foundation

/// A progress bar on standard error for several images; nothing unless it is a terminal.
struct ProgressBar {
    private let total: Int
    private var done = 0
    private let isShown: Bool
    private let start = ContinuousClock.now

    init(total: Int) {
        self.total = total
        isShown = total > 1 && isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }

    /// Removes the bar, so that other lines can be written.
    func clear() { if isShown { Terminal.redraw("") } }

    mutating func advance() {
        done += 1
        draw()
    }

    func draw() {
        guard isShown, done < total else { return }
        let width = 30
        let filled = width * done / total
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        var line = "\(bar) \(done)/\(total)"
        if done > 0 {
            let rest = (ContinuousClock.now - start) / done * (total - done)
            line +=
                "  \(rest.components.seconds / 60):" + String(format: "%02d", rest.components.seconds % 60) + " left"
        }
        Terminal.redraw(line)
    }
}
