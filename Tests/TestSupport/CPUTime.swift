internal import Foundation

/// Measures CPU time of this thread, which other tests and programs do not affect.
package enum CPUTime {
    package static func seconds(_ work: () throws -> Void) rethrows -> Double {
        let start = now
        try work()
        return now - start
    }

    /// The cost of work of a given size relative to work of a quarter of it: 4 if linear, 16 if quadratic. Interleaves both, so
    /// that neither a slow machine nor a sanitizer affects the ratio.
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
