internal import Engine
internal import Foundation

/// A session's first output for a test image, so that a change of it shows that the device has changed.
package final class Canary: @unchecked Sendable {  // the count is touched under the lock only
    /// The number of values kept per output.
    private static let sampleCount = 128
    /// How far a value may move, as a share of the largest in its output: runs of one device on one input differ at most by
    /// rounding.
    private static let tolerance: Float = 0.02

    /// Values sampled evenly from each output.
    private let first: [String: [Float]]
    private let lock = NSLock()
    private var runs = 0

    /// Stripes, squares and ramps, so that every part of the network is active.
    static let picture: Image = {
        let (width, height) = (320, 240)
        var pixels = [UInt8](repeating: 0, count: 3 * width * height)
        for y in 0..<height {
            for x in 0..<width {
                let at = 3 * (y * width + x)
                pixels[at] = UInt8(x * 255 / (width - 1))
                pixels[at + 1] = (x / 20 + y / 20).isMultiple(of: 2) ? 220 : 40
                pixels[at + 2] = UInt8(((x - 160) * (x - 160) + (y - 120) * (y - 120)) / 160 % 256)
            }
        }
        guard let picture = try? Image(width: width, height: height, rgb: pixels) else {
            preconditionFailure("the canary has 3 bytes per pixel")
        }
        return picture
    }()

    init(_ outputs: [String: Tensor]) throws { first = try Canary.samples(of: outputs) }

    /// How outputs differ from the first ones; nil if they don't.
    func change(to outputs: [String: Tensor]) throws -> String? {
        let now = try Canary.samples(of: outputs)
        for (name, expected) in first.sorted(by: { $0.key < $1.key }) {
            guard let values = now[name], values.count == expected.count else { return "the output \(name) is missing" }
            let scale = max(expected.lazy.map(abs).max() ?? 0, 1e-6)
            for (one, other) in zip(expected, values) where !(abs(one - other) <= scale * Canary.tolerance) {
                return "a value of the output \(name) was \(one) and is now \(other)"
            }
        }
        return nil
    }

    /// Counts a run, and returns whether the canary is due.
    func isTime(each interval: Int) -> Bool {
        lock.withLock {
            runs += 1
            return interval > 0 && runs.isMultiple(of: interval)
        }
    }

    private static func samples(of outputs: [String: Tensor]) throws -> [String: [Float]] {
        try outputs.filter { $0.value.isFloatingPoint }.mapValues { tensor in
            try tensor.withFloats { values in
                let count = min(sampleCount, values.count)
                return (0..<count).map { values[$0 * values.count / count] }
            }
        }
    }
}
