import Foundation
import ONNXRuntime
import TestSupport
import Testing

@Suite(.enabled(if: TestRuntime.isWanted)) struct ConcurrencyTests {
    /// Many tasks share one session; each has its own input and compares every answer with its own result.
    @Test(arguments: [false, true])
    func oneSessionAnswersManyTasksCorrectly(openVINO: Bool) async throws {
        let session = try TestRuntime.session("linear", openVINO ? .openVINOCPU : .cpu)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<32 {
                group.addTask {
                    for round in 0..<40 {
                        let batch = 1 + (task + round) % 7
                        let value = Float(task * 40 + round)
                        let x = try Tensor(Float.self, shape: [batch, 4]) { $0.update(repeating: value) }
                        let y = try #require(
                            round.isMultiple(of: 2) ? try await session.run(["x": x])["y"] : try runOnThread(session, x)
                        )
                        let row: [Float] = [18 * value + 1, 22 * value + 2, 26 * value + 3]
                        let expected = (0..<batch).flatMap { _ in row }
                        #expect(try y.elements(of: Float.self) == expected)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func runOnThread(_ session: Session, _ x: Tensor) throws -> Tensor? { try session.run(["x": x])["y"] }

    @Test func cancellingTheTaskStopsTheRun() async throws {
        let session = try TestRuntime.session("slow") { $0.threads = 1 }
        let x = try Tensor(Float.self, shape: [700, 700]) { $0.update(repeating: 0.001) }
        let clock = ContinuousClock()
        let whole = try await clock.measure { _ = try await session.run(["x": x]) }
        let task = Task { try await session.run(["x": x]) }
        try await Task.sleep(for: whole / 20)
        let rest = await clock.measure {
            task.cancel()
            let result = await task.result
            let error = #expect(throws: ONNXRuntimeError.self) { try result.get() }
            #expect(error?.code == .cancelled)
        }
        // Not a speed test: a run that is not stopped would take nineteen twentieths of the whole.
        #expect(rest < whole / 2)
    }

    @Test func aRunCancelledBeforeItBeginsNeverAnswers() throws {
        for provider in [ExecutionProvider.cpu, try .openVINOCPU] {
            let session = try TestRuntime.session("linear", provider)
            let cancellation = RunCancellation()
            cancellation.cancel()
            let x = try Tensor(shape: [1, 4], scalars: [0, 0, 0, 0] as [Float])
            let error = #expect(throws: ONNXRuntimeError.self) { try session.run(["x": x], cancellation: cancellation) }
            #expect(error?.code == .cancelled)
        }
    }
}
