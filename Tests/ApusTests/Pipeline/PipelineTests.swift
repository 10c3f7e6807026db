import Apus
import Engine
import Foundation
import Testing

@Suite(.timeLimit(.minutes(10))) struct PipelineTests {
    typealias Failure = TestStages.Failure

    // MARK: Order

    @Test(arguments: [1, 3]) func orderIsThatOfTheInputsWhateverTakesHowLong(batch: Int) async throws {
        let delay: @Sendable (Int) -> Void = { _ in usleep(.random(in: 0...2000)) }
        let stages = TestStages(prepare: delay, run: { _, _ in delay(0) }, finish: delay)
        let pipeline = Pipeline(0..<200, limits: PipelineLimits(batch: batch), stages: stages)
        var elements: [(Int, Int?)] = []
        for try await element in pipeline { elements.append((element.input, element.result.value)) }
        #expect(elements.map(\.0) == Array(0..<200))
        #expect(elements.map(\.1) == (0..<200).map { 2 * $0 })
        #expect(stages.runs.flatMap { $0 } == Array(0..<200))
        #expect(stages.runs.allSatisfy { (1...batch).contains($0.count) })
    }

    @Test func noInputsHaveNoOutputs() async throws {
        var iterator = Pipeline([Int](), limits: PipelineLimits(batch: 2), stages: TestStages()).makeAsyncIterator()
        for _ in 0..<2 { #expect(try await iterator.next(isolation: nil) == nil) }
    }

    // MARK: Backpressure

    @Test(arguments: [1, 3]) func noMoreInputsArePulledThanMayBeInFlight(inFlight: Int) async throws {
        let numbers = CountedNumbers(count: 50)
        let stages = TestStages()
        let pipeline = Pipeline(numbers, limits: PipelineLimits(batch: 2, inFlight: inFlight), stages: stages)
        var iterator = pipeline.makeAsyncIterator()
        #expect(numbers.pulled.withLock { $0 } == 0)
        for consumed in 1...10 {
            #expect(try await iterator.next(isolation: nil)?.input == consumed - 1)
            // All that may be pulled is done, and the consumer sleeps.
            try await eventually { stages.counts.withLock { $0.finished } == consumed + inFlight }
            try await Task.sleep(for: .milliseconds(5))
            #expect(numbers.pulled.withLock { $0 } == consumed + inFlight)
        }
    }

    @Test func noMoreIsInMemoryThanMayBeInFlight() async throws {
        let counts = Locked<Locked<TestStages.Counts>?>(nil)
        let most = Locked(0)
        let stages = TestStages(prepare: { _ in
            let now = counts.withLock { $0 }?.withLock { $0.prepared } ?? 0
            most.withLock { $0 = max($0, now + 1) }
        })
        counts.withLock { $0 = stages.counts }
        for try await _ in Pipeline(0..<200, limits: PipelineLimits(batch: 1, inFlight: 4), stages: stages) {}
        // The run's thread may hold its last batch for a moment more.
        #expect(most.withLock { $0 } <= 5)
    }

    // MARK: Overlap

    @Test func theNextInputIsPreparedAndTheLastOneFinishedWhileOneRuns() async throws {
        let (prepared, ran) = (Gate(), Gate())
        let stages = TestStages(
            prepare: { if $0 == 1 { prepared.open() } },
            run: { numbers, _ in
                if numbers == [0] { prepared.wait() }
                if numbers == [1] { ran.open() }
            },
            finish: { if $0 == 0 { ran.wait() } })
        // Without the overlap this hangs.
        let pipeline = Pipeline(0..<2, limits: PipelineLimits(batch: 1), stages: stages)
        var results: [Int?] = []
        for try await element in pipeline { results.append(element.result.value) }
        #expect(results == [0, 2])
    }

    @Test func severalInputsArePreparedAtOnce() async throws {
        let started = Locked(0)
        let stages = TestStages(prepare: { _ in
            started.withLock { $0 += 1 }
            while started.withLock({ $0 }) < 3 { usleep(1000) }
        })
        let pipeline = Pipeline(0..<3, limits: PipelineLimits(batch: 1, inFlight: 3), stages: stages)
        #expect(try await pipeline.reduce(0) { count, _ in count + 1 } == 3)
    }

    // MARK: Batches

    @Test func consecutiveInputsRunTogether() async throws {
        let numbers = CountedNumbers(count: 7)
        let stages = TestStages(prepare: { number in
            while numbers.pulled.withLock({ $0 }) < 7 { usleep(1000) }
            if number == 1 { throw Failure(number: 1) }
        })
        let pipeline = Pipeline(numbers, limits: PipelineLimits(batch: 3, inFlight: 7), stages: stages)
        var results: [Int?] = []
        for try await element in pipeline { results.append(element.result.value) }
        #expect(results == [0, nil, 4, 6, 8, 10, 12])
        // What failed before takes no part.
        #expect(stages.runs == [[0, 2, 3], [4, 5, 6]])
    }

    @Test func aBatchWaitsForInputsThatAreBeingPreparedOnly() async throws {
        let (inputs, input) = AsyncStream.makeStream(of: Int.self)
        let pulled = Gate()
        let stages = TestStages(prepare: { if $0 == 0 { pulled.wait() } else { pulled.open() } })
        let pipeline = Pipeline(inputs, limits: PipelineLimits(batch: 4), stages: stages)
        var iterator = pipeline.makeAsyncIterator()
        input.yield(0)
        input.yield(1)
        // Two are there, and no third is waited for.
        #expect(try await iterator.next(isolation: nil)?.result.value == 0)
        #expect(try await iterator.next(isolation: nil)?.result.value == 2)
        input.yield(2)
        #expect(try await iterator.next(isolation: nil)?.result.value == 4)
        input.finish()
        #expect(try await iterator.next(isolation: nil) == nil)
        #expect(stages.runs.last == [2])
    }

    // MARK: Failures

    @Test func eachStepOfAnInputFailsAlone() async throws {
        let stages = TestStages(
            prepare: { if $0 == 1 { throw Failure(number: 1) } },
            run: { numbers, _ in if numbers.contains(3) { throw Failure(number: 3) } },
            finish: { if $0 == 5 { throw Failure(number: 5) } })
        let pipeline = Pipeline(0..<7, limits: PipelineLimits(batch: 2), stages: stages)
        var failures: [Int: Failure] = [:]
        for try await element in pipeline {
            if case .failure(let error) = element.result { failures[element.input] = error as? Failure }
        }
        #expect(failures == [1: Failure(number: 1), 3: Failure(number: 3), 5: Failure(number: 5)])
        #expect(stages.runs.contains([3]))
    }

    @Test(arguments: [1, 3]) func aFailureOfAllInputsEndsThePipelineAfterTheOthers(batch: Int) async throws {
        let end = Failure(number: 7, endsPipeline: true)
        let stages = TestStages(run: { numbers, _ in
            // In a batch it isn't known which one it was, until each runs alone.
            if numbers.contains(7) { throw numbers.count == 1 ? end : Failure(number: 7) }
        })
        var iterator = Pipeline(0..<1000, limits: PipelineLimits(batch: batch), stages: stages).makeAsyncIterator()
        for number in 0..<7 { #expect(try await iterator.next(isolation: nil)?.result.value == 2 * number) }
        await #expect(throws: end) { _ = try await iterator.next(isolation: nil) }
        #expect(try await iterator.next(isolation: nil) == nil)
        #expect(stages.runs.last == [7])
        try await eventually { stages.counts.withLock { $0.prepared } == 0 }
    }

    @Test func anErrorOfTheInputsComesAfterTheirResults() async throws {
        let inputs = AsyncThrowingStream<Int, any Error> { input in
            input.yield(0)
            input.yield(1)
            input.finish(throwing: Failure(number: 2))
        }
        var iterator = Pipeline(inputs, limits: PipelineLimits(batch: 1), stages: TestStages()).makeAsyncIterator()
        #expect(try await iterator.next(isolation: nil)?.result.value == 0)
        #expect(try await iterator.next(isolation: nil)?.result.value == 2)
        await #expect(throws: Failure(number: 2)) { _ = try await iterator.next(isolation: nil) }
        #expect(try await iterator.next(isolation: nil) == nil)
    }

    // MARK: Ending

    @Test func cancellingTheConsumerStopsTheWorkAndReleasesAll() async throws {
        let (running, gate, ended, cancelled) = (Gate(), Gate(), Gate(), Locked(false))
        let stages = TestStages(run: { _, cancellation in
            running.open()
            gate.wait()
            cancelled.withLock { $0 = cancellation.isCancelled }
        })
        let task = Task {
            let inputs = AsyncStream<Int> { input in
                input.onTermination = { _ in ended.open() }
                for number in 0..<10 { input.yield(number) }
            }
            for try await _ in Pipeline(inputs, limits: PipelineLimits(batch: 1), stages: stages) {}
        }
        try await eventually { running.isOpen }
        task.cancel()
        // At once, though the run goes on.
        await #expect(throws: CancellationError.self) { try await task.value }
        gate.open()
        try await eventually { cancelled.withLock { $0 } }
        try await eventually { stages.counts.withLock { $0.prepared } == 0 }
        try await eventually { ended.isOpen }
        #expect(stages.runs == [[0]])
    }

    @Test func leavingTheLoopStopsTheWorkAndReleasesAll() async throws {
        let numbers = CountedNumbers(count: 1_000_000)
        let counts: Locked<TestStages.Counts>
        weak var released: TestStages?
        do {
            let stages = TestStages()
            counts = stages.counts
            released = stages
            for try await element in Pipeline(numbers, limits: PipelineLimits(batch: 2), stages: stages)
            where element.input == 5 { break }
        }
        try await eventually { released == nil }
        try await eventually { counts.withLock { $0.prepared } == 0 }
        #expect(numbers.pulled.withLock { $0 } <= 6 + 6)
    }

    @Test func manyPipelinesGetTheirOwnResults() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<48 {
                group.addTask {
                    let stages = TestStages(
                        prepare: { if $0 % 5 == 3 { throw Failure(number: $0) } },
                        run: { _, _ in usleep(.random(in: 0...200)) })
                    let limits = PipelineLimits(batch: 1 + index % 4, inFlight: 1 + index % 7)
                    var expected = 0
                    for try await element in Pipeline(0..<60, limits: limits, stages: stages) {
                        #expect(element.input == expected)
                        #expect(element.result.value == (expected % 5 == 3 ? nil : 2 * expected))
                        expected += 1
                        if index % 6 == 5, expected == 20 { break }
                    }
                    #expect(expected == (index % 6 == 5 ? 20 : 60))
                    try await eventually { stages.counts.withLock { $0.prepared } == 0 }
                }
            }
            try await group.waitForAll()
        }
    }
}
