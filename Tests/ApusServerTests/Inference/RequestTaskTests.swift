import ApusServer
import Testing

struct RequestTaskTests {
    private static let late = ServerError.timedOut(.milliseconds(10))

    private static func forever() async throws { try await Task.sleep(for: .seconds(3600)) }

    @Test func aStepThatTakesTooLongThrowsItsError() async throws {
        let task = RequestTask()
        let error = await #expect(throws: ServerError.self) {
            try await task.run {
                try await task.within(.milliseconds(10), orThrow: Self.late) { try await Self.forever() }
            }
        }
        #expect(error?.kind == .timeout)
    }

    @Test func aStepWithinItsTimeLeavesTheTaskAlone() async throws {
        let task = RequestTask()
        let value = try await task.run {
            let first = try await task.within(.seconds(3600), orThrow: Self.late) { 1 }
            let second = try await task.within(.seconds(3600), orThrow: .stopping) { 2 }
            return [first, second, Task.isCancelled ? 1 : 0]
        }
        #expect(value == [1, 2, 0])
    }

    @Test(arguments: [true, false]) func theFirstOfNestedLimitsCounts(isInnerFirst: Bool) async throws {
        let task = RequestTask()
        let (outer, inner) = isInnerFirst ? (3_600_000, 10) : (10, 3_600_000)
        let error = await #expect(throws: ServerError.self) {
            try await task.run {
                try await task.within(.milliseconds(outer), orThrow: .stopping) {
                    try await task.within(.milliseconds(inner), orThrow: Self.late) { try await Self.forever() }
                }
            }
        }
        #expect(error?.kind == (isInnerFirst ? .timeout : .stopping))
    }

    @Test func anErrorOfAStepIsItsOwn() async throws {
        let task = RequestTask()
        let error = await #expect(throws: ServerError.self) {
            try await task.run {
                try await task.within(.seconds(3600), orThrow: Self.late) { throw ServerError.unauthorized }
            }
        }
        #expect(error?.kind == .unauthorized)
    }

    @Test func cancellingEndsTheWorkWheneverItComes() async throws {
        let early = RequestTask()
        early.cancel()
        await #expect(throws: CancellationError.self) {
            try await early.run { try await Self.forever() }
        }
        let task = RequestTask()
        await #expect(throws: CancellationError.self) {
            try await task.run {
                task.cancel()
                try await task.within(.seconds(3600), orThrow: Self.late) { try await Self.forever() }
            }
        }
        let outer = Task {
            let inner = RequestTask()
            try await inner.run { try await Self.forever() }
        }
        outer.cancel()
        await #expect(throws: CancellationError.self) { try await outer.value }
    }
}
