internal import Glibc
internal import Synchronization

/// Finds inputs that cost far more CPU time than others of their size.
///
/// An input that costs more than 50 times the median per byte is a finding: it traps, and libFuzzer keeps the input.
/// Three measures prevent false positives:
///
/// - Only this thread's CPU time counts, and a suspicious input runs again: the minimum of all its runs counts.
/// - A small input counts as 1 KB, and a median below `minSecondsPerByte` as that value, since most inputs are rejected at
///   their first bytes. So nothing under 5 ms is a finding, unless a target sets it lower.
/// - The first inputs only establish the median.
package final class CPUBudget: Sendable {
    private static let factor = 50.0
    private static let minBytes = 1024
    private static let inputsBeforeJudging = 500
    private static let repetitions = 5

    private let costs = Mutex(CostHistogram())
    private let minSecondsPerByte: Double
    private let clock: @Sendable () -> Double
    private let report: @Sendable (String) -> Void

    /// - Parameters:
    ///   - minSecondsPerByte: the acceptable cost of a valid input.
    ///   - clock: CPU time in seconds.
    ///   - report: receives findings; it traps unless tests say otherwise.
    package init(
        minSecondsPerByte: Double = 100e-9, clock: @escaping @Sendable () -> Double = cpuSeconds,
        report: @escaping @Sendable (String) -> Void = { fatalError($0) }
    ) {
        self.minSecondsPerByte = minSecondsPerByte
        self.clock = clock
        self.report = report
    }

    /// Runs `body`, whose work depends only on the input's length, on one libFuzzer input and checks its cost.
    package func run(_ bytes: UnsafePointer<UInt8>?, _ count: Int, _ body: ([UInt8]) -> Void) -> CInt {
        run(bytes, count) { input in
            body(input)
            return count
        }
    }

    /// Runs `body` on one libFuzzer input and checks its cost. `body` returns the bytes of work that the input legitimately
    /// requires: its length, and more if it declares a size, as images do.
    package func run(_ bytes: UnsafePointer<UInt8>?, _ count: Int, _ body: ([UInt8]) -> Int) -> CInt {
        let input = [UInt8](UnsafeBufferPointer(start: bytes, count: count))
        var size = 0
        func seconds() -> Double {
            let start = clock()
            size = max(body(input), Self.minBytes)
            return clock() - start
        }
        var cost = seconds()
        let (median, inputs) = costs.withLock { costs in
            costs.add(cost / Double(size))
            return (max(costs.median, minSecondsPerByte), costs.count)
        }
        guard inputs > Self.inputsBeforeJudging else { return 0 }
        let limit = Self.factor * median * Double(size)
        for _ in 0..<Self.repetitions where cost > limit { cost = min(cost, seconds()) }
        if cost > limit {
            report(
                """
                CPU budget: this input of \(count) bytes costs \(cost) s, more than \(limit) s, which is \(Self.factor) \
                times the median of \(median * 1e9) ns per byte for \(size) bytes of work
                """)
        }
        return 0
    }
}

/// This thread's CPU time.
@Sendable package func cpuSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// A running median in constant memory: a histogram of logarithms, 8 bins per doubling.
private struct CostHistogram {
    private(set) var count = 0
    private var counts = [Int](repeating: 0, count: 512)
    /// The bin of the median, and the number of values in bins below it.
    private var step = 0
    private var below = 0

    mutating func add(_ secondsPerByte: Double) {
        let new = min(max(Int(8 * log2(max(secondsPerByte, 1e-12) * 1e12)), 0), counts.count - 1)
        counts[new] += 1
        count += 1
        if new < step { below += 1 }
        while 2 * below > count {
            step -= 1
            below -= counts[step]
        }
        while 2 * (below + counts[step]) <= count, step < counts.count - 1 {
            below += counts[step]
            step += 1
        }
    }

    /// The upper bound of its bin.
    var median: Double { exp2(Double(step + 1) / 8) * 1e-12 }
}
