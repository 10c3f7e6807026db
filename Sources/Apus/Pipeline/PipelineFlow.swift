/// A running pipeline; it stops when this object is released.
final class PipelineFlow<Stages: PipelineStages>: Sendable {
    private let monitor: Monitor<PipelineState<Stages>>
    private let task: Task<Void, Never>

    init<Inputs>(_ pipeline: Pipeline<Stages, Inputs>) {
        let monitor = Monitor(PipelineState<Stages>(pipeline.limits))
        self.monitor = monitor
        // Its tasks reference neither this object nor the iterator, so that both can be released.
        task = Task(executorPreference: BlockingExecutor.shared) {
            await PipelineWork(stages: pipeline.stages, monitor: monitor).run(pipeline.inputs)
        }
    }

    deinit { stop() }

    /// The next element, for one task at a time.
    func next() async throws -> PipelineElement<Stages.Input, Stages.Output>? {
        let head = await withTaskCancellationHandler {
            await monitor.wait { $0.takeHead() }
        } onCancel: {
            stop()
        }
        switch head {
        case .element(let element): return element
        case .end(let error):
            task.cancel()
            if let error { throw error }
            return nil
        }
    }

    private func stop() {
        monitor.update { $0.stop() }
        task.cancel()
    }
}

/// The tasks of a pipeline: one pulls inputs, one runs batches, and one per input prepares and finishes it.
private struct PipelineWork<Stages: PipelineStages>: Sendable {
    let stages: Stages
    let monitor: Monitor<PipelineState<Stages>>

    func run<Inputs: AsyncSequence>(_ inputs: Inputs) async where Inputs.Element == Stages.Input {
        await withDiscardingTaskGroup { group in
            group.addTask { await runBatches() }
            do {
                var iterator = inputs.makeAsyncIterator()
                while await monitor.wait(for: { $0.pulls() }), let input = try await iterator.next() {
                    guard let number = monitor.update({ $0.add(input) }) else { return }
                    group.addTask { await work(on: input, number) }
                }
                monitor.update { $0.finish() }
            } catch {
                monitor.update { $0.finish(error) }
            }
        }
    }

    private func work(on input: Stages.Input, _ number: Int) async {
        do {
            // Release the prepared input before its result makes room for another.
            guard let output = try await output(of: input, number) else { return }
            monitor.update { $0[number] = .done(.success(output)) }
        } catch {
            monitor.update { $0[number] = .done(.failure(error)) }
        }
    }

    /// Nil if its run failed, or its result is no longer needed.
    private func output(of input: Stages.Input, _ number: Int) async throws -> Stages.Output? {
        let prepared = try await stages.prepare(input)
        monitor.update { $0[number] = .ready(prepared) }
        guard case .found(let found) = await monitor.wait(for: { $0.takeFound(number) }) else { return nil }
        return try await stages.finish(input, prepared, found)
    }

    private func runBatches() async {
        // A batch is a job, so the queue has nothing to combine.
        let queue = WorkQueue(WorkLimits(), name: "apus.pipeline", runner: PipelineRunner(stages: stages))
        defer { queue.stop() }
        while case .inputs(let numbers, let batch) = await monitor.wait(for: { $0.takeBatch() }) {
            do {
                let output = try await queue.run(batch).output
                monitor.update { state in
                    for (number, result) in zip(numbers, output.results) {
                        switch result {
                        case .success(let found): state[number] = .found(found)
                        case .failure(let error): state[number] = .done(.failure(error))
                        }
                    }
                    if let end = output.end { state.fail(end, at: numbers[output.results.count]) }
                }
            } catch {
                monitor.update { $0.fail(error, at: numbers[0]) }
            }
        }
    }
}
