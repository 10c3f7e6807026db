import Apus
import Engine
import Foundation
import Testing

@Suite(.timeLimit(.minutes(10))) struct WorkQueueTests {
    struct Failure: Error, Equatable { var number: Int }

    /// Doubles numbers; those with the same last digit share a run.
    struct Doubling: BatchRunner {
        let runs = Locked<[[Int]]>([])
        var onRun: @Sendable ([Int]) throws -> Void = { _ in }

        func key(of input: Int) -> Int { input % 10 }
        func size(of input: Int) -> Int { input >= 1000 ? 2 : 1 }

        func run(_ batch: [BatchItem<Int>]) throws -> [Result<Int, any Error>] {
            let numbers = batch.map(\.input)
            runs.withLock { $0.append(numbers) }
            try onRun(numbers)
            return numbers.map { $0 < 0 ? .failure(Failure(number: $0)) : .success(2 * $0) }
        }
    }

    private static func queue(_ limits: WorkLimits, _ runner: Doubling = Doubling()) -> WorkQueue<Doubling> {
        WorkQueue(limits, name: "test", runner: runner)
    }

    /// Submits numbers one after the other while the only thread is busy, and lets them run then.
    private static func results(
        of numbers: [Int], in queue: WorkQueue<Doubling>
    ) async throws -> [Result<Int, any Error>] {
        let gate = Gate()
        let busy = Task { try await queue.perform { _ in gate.wait() } }
        try await eventually { queue.load.running == 1 }
        var tasks: [Task<Int, any Error>] = []
        for number in numbers {
            tasks.append(Task { try await queue.run(number).output })
            try await eventually { queue.load.queued == tasks.count }
        }
        gate.open()
        _ = try await busy.value
        var results: [Result<Int, any Error>] = []
        for task in tasks { results.append(await task.result) }
        return results
    }

    @Test func moreThanTheQueueHoldsIsRefusedAtOnce() throws {
        let queue = Self.queue(.init(queue: 1, concurrency: 1))
        defer { queue.stop() }
        var places = [try queue.admit()]
        try queue.requireRoom()
        places.append(try queue.admit())
        #expect(queue.load == WorkLoad(admitted: 2, queued: 0, running: 0))
        for refused in [{ _ = try queue.admit() }, { try queue.requireRoom() }] {
            let refusal = #expect(throws: WorkRefusal.self) { try refused() }
            guard case .full(queue: 1, let wait) = refusal else {
                Issue.record("\(String(describing: refusal))")
                continue
            }
            #expect(wait > .zero)
        }
        places.removeLast()
        #expect(queue.load.admitted == 1)
        _ = try queue.admit()
        queue.stop()
        for refused in [{ _ = try queue.admit() }, { try queue.requireRoom() }] {
            #expect(throws: WorkRefusal.stopped) { try refused() }
        }
    }

    @Test func jobsOfAKeyShareARunAsFarAsTheyFit() async throws {
        let runner = Doubling()
        let queue = Self.queue(.init(maxBatch: 3), runner)
        defer { queue.stop() }
        let results = try await Self.results(of: [11, 2, 21, 1001, 31, 41], in: queue)
        #expect(try results.map { try $0.get() } == [22, 4, 42, 2002, 62, 82])
        // The one of size 2 doesn't fit into the first run of its key.
        #expect(runner.runs.withLock { $0 } == [[11, 21, 31], [2], [1001, 41]])
    }

    @Test func aRunWaitsForMoreJobsOnlyUntilItIsFull() async throws {
        let queue = Self.queue(.init(maxBatch: 2, batchDelay: .seconds(3600)))
        defer { queue.stop() }
        async let first = queue.run(1).output
        async let second = queue.run(11).output
        #expect(try await [first, second] == [2, 22])
    }

    @Test func oneInputOfARunFailsAlone() async throws {
        let runner = Doubling()
        let queue = Self.queue(.init(maxBatch: 2), runner)
        defer { queue.stop() }
        let results = try await Self.results(of: [0, -10], in: queue)
        #expect(try results[0].get() == 0)
        #expect(throws: Failure(number: -10)) { try results[1].get() }
        #expect(runner.runs.withLock { $0 } == [[0, -10]])
    }

    @Test func aRunThatFailsIsTriedAlone() async throws {
        var runner = Doubling()
        runner.onRun = { if $0.contains(11) { throw Failure(number: 11) } }
        let queue = Self.queue(.init(maxBatch: 3), runner)
        defer { queue.stop() }
        let results = try await Self.results(of: [1, 11, 21], in: queue)
        #expect(try results[0].get() == 2 && results[2].get() == 42)
        #expect(throws: Failure(number: 11)) { try results[1].get() }
        #expect(runner.runs.withLock { $0 } == [[1, 11, 21], [1], [11], [21]])
    }

    @Test func whatIsCancelledWhileItWaitsIsNeverRun() async throws {
        let runner = Doubling()
        let queue = Self.queue(.init(), runner)
        defer { queue.stop() }
        let gate = Gate()
        let first = Task {
            try await queue.perform { _ in
                gate.wait()
                return "first"
            }.output
        }
        try await eventually { queue.load.running == 1 }
        let second = Task { try await queue.run(1).output }
        try await eventually { queue.load.queued == 1 }
        second.cancel()
        // At once, though the only thread is taken.
        await #expect(throws: CancellationError.self) { try await second.value }
        #expect(queue.load.queued == 0)
        gate.open()
        #expect(try await first.value == "first")
        #expect(runner.runs.withLock { $0 }.isEmpty)
    }

    @Test func cancellingATaskCancelsItsRun() async throws {
        let queue = Self.queue(.init())
        defer { queue.stop() }
        let (started, cancelled) = (Gate(), Locked(false))
        let task = Task {
            try await queue.perform { cancellation in
                started.open()
                while !cancellation.isCancelled { usleep(1000) }
                cancelled.withLock { $0 = true }
            }
        }
        try await eventually { started.isOpen }
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
        try await eventually { cancelled.withLock { $0 } }
    }

    @Test func aPlaceIsKeptUntilTheRunEnds() async throws {
        let queue = Self.queue(.init(queue: 0, concurrency: 1))
        defer { queue.stop() }
        let gate = Gate()
        let task = Task {
            let place = try queue.admit()
            _ = try await queue.perform(in: place) { _ in gate.wait() }
        }
        try await eventually { queue.load.running == 1 }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        // The caller went away, but the thread is not free yet, and the next one is told so.
        #expect(throws: WorkRefusal.self) { try queue.admit() }
        gate.open()
        try await eventually { queue.load.admitted == 0 }
        _ = try queue.admit()
    }

    @Test func aStoppedQueueFinishesWhatWaitsAndRefusesWhatComes() async throws {
        let queue = Self.queue(.init())
        let gate = Gate()
        let busy = Task { try await queue.perform { _ in gate.wait() } }
        try await eventually { queue.load.running == 1 }
        let waiting = Task { try await queue.run(4).output }
        try await eventually { queue.load.queued == 1 }
        queue.stop()
        await #expect(throws: WorkRefusal.stopped) { try await queue.run(5) }
        gate.open()
        #expect(try await waiting.value == 8)
        _ = try await busy.value
    }

    @Test func manyTasksGetTheirOwnResults() async throws {
        let queue = Self.queue(.init(concurrency: 3, maxBatch: 4))
        defer { queue.stop() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<500 {
                group.addTask {
                    let task = Task { try await queue.run(number).output }
                    if number.isMultiple(of: 7) { task.cancel() }
                    switch await task.result {
                    case .success(let output): #expect(output == 2 * number)
                    case .failure(let error): #expect(error is CancellationError && number.isMultiple(of: 7))
                    }
                }
            }
            try await group.waitForAll()
        }
        try await eventually { queue.load == WorkLoad(admitted: 0, queued: 0, running: 0) }
    }
}
