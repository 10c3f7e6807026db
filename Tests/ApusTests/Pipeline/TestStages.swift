import Apus
import Engine

/// Stages that count, and that a test holds up or lets fail.
final class TestStages: PipelineStages {
    struct Failure: Error, Equatable {
        var number: Int
        var endsPipeline = false
    }

    /// A prepared input, which is counted as long as it is in memory.
    final class Prepared: Sendable {
        let number: Int
        private let counts: Locked<Counts>

        init(_ number: Int, _ counts: Locked<Counts>) {
            self.number = number
            self.counts = counts
            counts.withLock { $0.prepared += 1 }
        }

        deinit { counts.withLock { $0.prepared -= 1 } }
    }

    struct Counts {
        /// In memory.
        var prepared = 0
        var runs: [[Int]] = []
        var finished = 0
    }

    let counts = Locked(Counts())
    private let onPrepare: @Sendable (Int) throws -> Void
    private let onRun: @Sendable ([Int], RunCancellation) throws -> Void
    private let onFinish: @Sendable (Int) throws -> Void

    init(
        prepare: @escaping @Sendable (Int) throws -> Void = { _ in },
        run: @escaping @Sendable ([Int], RunCancellation) throws -> Void = { _, _ in },
        finish: @escaping @Sendable (Int) throws -> Void = { _ in }
    ) {
        onPrepare = prepare
        onRun = run
        onFinish = finish
    }

    var runs: [[Int]] { counts.withLock { $0.runs } }

    func prepare(_ number: Int) async throws -> Prepared {
        try onPrepare(number)
        return Prepared(number, counts)
    }

    func run(_ batch: [Prepared], _ cancellation: RunCancellation) throws -> [Int] {
        let numbers = batch.map(\.number)
        counts.withLock { $0.runs.append(numbers) }
        try onRun(numbers, cancellation)
        return numbers.map { 2 * $0 }
    }

    func finish(_ number: Int, _ prepared: Prepared, _ found: Int) async throws -> Int {
        try onFinish(number)
        counts.withLock { $0.finished += 1 }
        return found
    }

    func endsPipeline(_ error: any Error) -> Bool { (error as? Failure)?.endsPipeline ?? false }
}

extension Result where Failure == any Error {
    /// Nil for a failure.
    var value: Success? { try? get() }
}

/// Numbers from 0, which counts how many were pulled.
struct CountedNumbers: Sequence, Sendable {
    let count: Int
    let pulled = Locked(0)

    func makeIterator() -> AnyIterator<Int> {
        AnyIterator {
            pulled.withLock { pulled in
                guard pulled < count else { return nil }
                defer { pulled += 1 }
                return pulled
            }
        }
    }
}
