import Engine
import Foundation
import ONNXRuntime
import TestSupport
import Testing

@Suite(.enabled(if: TestRuntime.isWanted)) struct ConcurrencyTests {
    /// Many tasks share one session; each has its own input and compares every answer with its own result.
    @Test(arguments: [false, true])
    func oneSessionAnswersManyTasksCorrectly(openVINO: Bool) async throws {
        let session = try TestRuntime.session("linear", openVINO ? .openVINOCPU : .ownKernels)
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

    /// 300 products of large matrices, cancelled from another thread once the run has begun.
    @Test func aRunIsStoppedBetweenNodes() throws {
        let session = try TestRuntime.session("slow") { $0.threads = 1 }
        let x = try Tensor(Float.self, shape: [1000, 1000]) { $0.update(repeating: 0.001) }
        let cancellation = RunCancellation()
        Thread.detachNewThread {  // no queue: those may be full of other tests
            while !cancellation.isRunning { usleep(1000) }
            usleep(20_000)  // into its nodes: all of them take seconds anywhere
            cancellation.cancel()
        }
        let error = #expect(throws: EngineError.self) { try session.run(["x": x], cancellation: cancellation) }
        #expect(error?.code == .cancelled)
        #expect(error?.cause == "the run was cancelled, and stopped")
    }

    @Test func cancellingTheTaskCancelsTheRun() async throws {
        let session = try TestRuntime.session("linear")
        let x = try Tensor(shape: [1, 4], scalars: [0, 0, 0, 0] as [Float])
        let task = Task {
            try await RunCancellation.detached { cancellation in
                while !cancellation.isCancelled { usleep(1000) }
                return try session.run(["x": x], cancellation: cancellation)
            }
        }
        task.cancel()
        let result = await task.result
        let error = #expect(throws: EngineError.self) { try result.get() }
        #expect(error?.code == .cancelled)
    }

    @Test func aRunCancelledBeforeItBeginsNeverAnswers() throws {
        for provider in [ExecutionTarget.ownKernels, .openVINOCPU] {
            let session = try TestRuntime.session("linear", provider)
            let cancellation = RunCancellation()
            cancellation.cancel()
            let x = try Tensor(shape: [1, 4], scalars: [0, 0, 0, 0] as [Float])
            let error = #expect(throws: EngineError.self) { try session.run(["x": x], cancellation: cancellation) }
            #expect(error?.code == .cancelled)
        }
    }
}
