internal import COnnxRuntime
internal import Engine
internal import Foundation

/// Keeps the most recent lines of the runtime's log.
///
/// When a provider does not load, the status reports only the failure; the reason is in the log. The runtime logs on the calling
/// thread, so a call's lines are those of its thread since the call began.
final class LogRecorder: Sendable {
    struct Line: Sendable {
        var number: Int
        var severity: Int32
        var thread: UInt
        var text: String
    }

    /// `ORT_LOGGING_LEVEL_*` of the official header.
    static let info: Int32 = 1
    static let warning: Int32 = 2

    private struct State {
        var next = 0
        var lines: [Line] = []
    }

    private static let capacity = 512
    private let state = Locked(State())

    /// The function that the runtime calls for each line; its first argument is an unretained recorder.
    static let callback: OrtLogFunction = { parameter, severity, _, _, _, message in
        guard let parameter, let message else { return }
        Unmanaged<LogRecorder>.fromOpaque(parameter).takeUnretainedValue()
            .record(severity: severity, text: String(cString: message))
    }

    private static var currentThread: UInt { UInt(pthread_self()) }

    func record(severity: Int32, text: String) {
        let thread = LogRecorder.currentThread
        state.withLock { state in
            if state.lines.count >= LogRecorder.capacity { state.lines.removeFirst(LogRecorder.capacity / 2) }
            state.lines.append(Line(number: state.next, severity: severity, thread: thread, text: text))
            state.next += 1
        }
    }

    /// The number of the next line: lines from it on were logged after this call.
    func mark() -> Int { state.withLock { $0.next } }

    /// This thread's lines since `mark`, `severity` and above.
    func lines(since mark: Int, atLeast severity: Int32) -> [String] {
        let thread = LogRecorder.currentThread
        return state.withLock { state in
            state.lines.filter { $0.number >= mark && $0.thread == thread && $0.severity >= severity }.map(\.text)
        }
    }
}
