package import Engine
internal import Imaging
internal import Remedies

/// Finding objects in images.
extension Detector {
    /// Finds objects in an image, on the calling thread.
    ///
    /// - Parameters:
    ///   - image: of any size.
    ///   - threshold: detections with a score above this are reported, 0 to 1; nil uses the configuration's.
    /// - Throws: `ApusError` with code `inference` if the model fails on an image, `deviceFault` if the device computes wrong
    ///   results, `option` if the threshold is invalid.
    public func detect(_ image: Image, threshold: Float? = nil) throws(ApusError) -> DetectionResult {
        let results = try detect([image], threshold: threshold)
        return results[0]
    }

    /// Finds objects in images, on the calling thread. Results come in the order of the images.
    ///
    /// With a `batchSize` above 1, images that the model sees at the same size, or on the same canvas, run together.
    ///
    /// - Parameters:
    ///   - images: of any sizes.
    ///   - threshold: detections with a score above this are reported, 0 to 1; nil uses the configuration's.
    /// - Throws: `ApusError` with code `inference` if the model fails on an image, `deviceFault` if the device computes wrong
    ///   results, `option` if the threshold is invalid.
    public func detect(_ images: [Image], threshold: Float? = nil) throws(ApusError) -> [DetectionResult] {
        try detect(images, threshold: threshold, cancellation: nil)
    }

    /// Finds objects in an image without blocking the caller's executor. Cancelling the task cancels the run.
    ///
    /// - Parameters:
    ///   - image: of any size.
    ///   - threshold: detections with a score above this are reported, 0 to 1; nil uses the configuration's.
    /// - Throws: `ApusError` with code `inference` if the model fails on an image, `deviceFault` if the device computes wrong
    ///   results, `option` if the threshold is invalid, `cancelled` if the task was cancelled.
    public func detect(_ image: Image, threshold: Float? = nil) async throws -> DetectionResult {
        let results = try await detect([image], threshold: threshold)
        return results[0]
    }

    /// Finds objects in images without blocking the caller's executor. Results come in the order of the images; cancelling the
    /// task cancels the run.
    ///
    /// - Parameters:
    ///   - images: of any sizes.
    ///   - threshold: detections with a score above this are reported, 0 to 1; nil uses the configuration's.
    /// - Throws: `ApusError` with code `inference` if the model fails on an image, `deviceFault` if the device computes wrong
    ///   results, `option` if the threshold is invalid, `cancelled` if the task was cancelled.
    public func detect(_ images: [Image], threshold: Float? = nil) async throws -> [DetectionResult] {
        try await RunCancellation.detached {
            try self.detect(images, threshold: threshold, cancellation: $0)
        }
    }

    /// Runs on the calling thread until it ends or another thread cancels it.
    package func detect(
        _ images: [Image], threshold: Float?, cancellation: RunCancellation?
    ) throws(ApusError) -> [DetectionResult] {
        let threshold = threshold ?? configuration.threshold
        try Configuration.check(threshold: threshold)
        var results: [(index: Int, result: DetectionResult)] = []
        for batch in batches(of: images) {
            let found = try ApusError.wrapping(doing: "detect objects") {
                try detect(
                    batch.images.map { images[$0] }, slot: batch.slot, above: threshold, cancellation: cancellation)
            }
            precondition(found.count == batch.images.count, "one result per image")
            results += zip(batch.images, found).map { (index: $0, result: $1) }
        }
        return results.sorted { $0.index < $1.index }.map(\.result)
    }

    /// Images that run together, and on which of the pool's canvases.
    private func batches(of images: [Image]) -> [(slot: Int, images: [Int])] {
        let size = batchSize
        let wanted = images.map { adapter.inputs.placement(of: $0.size).canvas }
        let slots = wanted.map { pool.index(for: $0) }
        guard size > 1 else { return images.indices.map { (slots[$0], [$0]) } }
        // Images share a run if they have the same canvas, which doesn't depend on the batch. Without canvases they must have the
        // same size, as padding affects outputs, and an image's result must not depend on its neighbors.
        var groups: [[Int]: [Int]] = [:]
        for index in images.indices {
            let sharesCanvas =
                pool.canvas(at: slots[index]) != nil || (adapter.inputs.marksPadding && adapter.inputs.hasFixedSize)
            let key = sharesCanvas ? [slots[index]] : [slots[index], wanted[index].height, wanted[index].width]
            groups[key, default: []].append(index)
        }
        return groups.values.sorted { $0[0] < $1[0] }.flatMap { group in
            stride(from: 0, to: group.count, by: size).map {
                (slots[group[0]], Array(group[$0..<min($0 + size, group.count)]))
            }
        }
    }

    private func detect(
        _ batch: [Image], slot: Int, above threshold: Float, cancellation: RunCancellation?
    ) throws -> [DetectionResult] {
        try health.requireSound()
        let entry = try pool.entry(at: slot)
        let clock = ContinuousClock()
        let start = clock.now
        let placements = batch.map { adapter.inputs.placement(of: $0.size, on: entry.canvas?.size) }
        let inputs = try adapter.inputs.tensors(for: batch, placements, on: entry.canvas)
        let prepared = clock.now
        let outputs = try run(inputs, on: entry, count: batch.count, cancellation: cancellation)
        let ran = clock.now
        try health.examine(outputs, canary: entry.canary) { try canaryOutputs(entry) }
        let found: [[Detection]]
        do {
            found = try adapter.detections(
                in: ModelOutputs(outputs), placements: placements, options: DecodingOptions(threshold: threshold))
        } catch {
            try checkDevice(after: entry)
            throw error
        }
        let share = { (duration: Duration) in duration / batch.count }
        let timings = Timings(
            preprocess: share(prepared - start), inference: share(ran - prepared), postprocess: share(clock.now - ran))
        return zip(batch, found).map { image, detections in
            DetectionResult(
                detections: detections.map { detection in
                    var named = detection
                    named.category = labels?[detection.label]
                    return named
                }, width: image.width, height: image.height, timings: timings)
        }
    }

    func run(
        _ inputs: [String: Tensor], on entry: SessionPool.Entry, count: Int, cancellation: RunCancellation?
    ) throws -> [String: Tensor] {
        do {
            return try entry.session.run(inputs, outputs: adapter.outputNames, cancellation: cancellation)
        } catch {
            if error.code == .runFailed { try checkDevice(after: entry) }
            guard count > 1, adapter.inputs.fixedBatch == nil, error.code != .cancelled else { throw error }
            var explained = error
            explained.remedy = "The model may not support batches, though its inputs declare it: use batch size 1."
            throw explained
        }
    }
}
