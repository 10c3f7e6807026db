internal import Foundation

/// What work costs: the processor time of this thread, which other tests and other programs do not change.
package enum CPUTime {
    package static func seconds(_ work: () throws -> Void) rethrows -> Double {
        let start = now
        try work()
        return now - start
    }

    /// How many times as much work of a size costs as work of a quarter of it: 4 where the cost is linear, 16 where it is quadratic.
    /// Both are measured side by side, so neither a slow machine nor a sanitizer changes it.
    package static func growth(to size: Int, _ work: (Int) throws -> Void) rethrows -> Double {
        func least(_ size: Int) throws -> Double { try min(seconds { try work(size) }, seconds { try work(size) }) }
        return try least(size) / max(least(size / 4), 0.001)
    }

    private static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
