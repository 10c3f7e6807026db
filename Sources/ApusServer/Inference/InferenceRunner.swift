package import Apus
internal import Engine

/// Decodes and runs the images of one request, or of several that fit into one batch.
package struct InferenceRunner: BatchRunner {
    package struct Input: Sendable {
        var model: ServedModel
        var images: [EncodedImage]
        var threshold: Float
    }

    package struct Output: Sendable {
        var images: [ImageResult]
        /// Images that ran at once.
        var batch: Int
    }

    let maxBatch: Int

    package func key(of input: Input) -> ObjectIdentifier { ObjectIdentifier(input.model) }

    package func size(of input: Input) -> Int { input.images.count }

    package func run(_ batch: [BatchItem<Input>]) throws -> [Result<Output, any Error>] {
        batch.count == 1 ? [Result { try alone(batch[0]) }] : try together(batch)
    }

    /// One request's images; no more decoded images are in memory than run at once.
    private func alone(_ item: BatchItem<Input>) throws -> Output {
        let input = item.input
        var results: [ImageResult] = []
        var rest = input.images[...]
        while !rest.isEmpty {
            let decoded = try rest.prefix(maxBatch).map { try DecodedImage($0, item.cancellation) }
            rest = rest.dropFirst(maxBatch)
            let found = try input.model.detector.detect(
                decoded.map(\.image), above: input.threshold, cancellation: item.cancellation)
            results += try InferenceRunner.results(decoded, found[...], item.cancellation)
        }
        return Output(images: results, batch: min(input.images.count, maxBatch))
    }

    /// Images of several requests, at most one batch in total. An image that can't be decoded fails only its own request.
    private func together(_ batch: [BatchItem<Input>]) throws -> [Result<Output, any Error>] {
        let decoded = batch.map { item in
            Result { try item.input.images.map { try DecodedImage($0, item.cancellation) } }
        }
        let images = decoded.flatMap { ((try? $0.get()) ?? []).map(\.image) }
        guard !images.isEmpty else { return decoded.map { $0.map { _ in Output(images: [], batch: 0) } } }
        // Runs with the lowest threshold; each request's own threshold is applied below.
        let lowest = batch.map(\.input.threshold).min() ?? 0
        var found = try batch[0].input.model.detector.detect(images, above: lowest, cancellation: nil)[...]
        return zip(batch, decoded).map { item, decoded in
            decoded.flatMap { decoded in
                var own = found.prefix(decoded.count)
                found = found.dropFirst(decoded.count)
                for index in own.indices { own[index].detections.removeAll { $0.score <= item.input.threshold } }
                return Result {
                    Output(
                        images: try InferenceRunner.results(decoded, own, item.cancellation), batch: images.count)
                }
            }
        }
    }

    private static func results(
        _ images: [DecodedImage], _ found: ArraySlice<DetectionResult>, _ cancellation: RunCancellation
    ) throws -> [ImageResult] {
        precondition(images.count == found.count, "a detector returns one result per image")
        return try zip(images, found).map { try $0.result($1, cancellation) }
    }
}

/// An image ready to run.
private struct DecodedImage {
    let encoded: EncodedImage
    let image: Image
    let duration: Duration

    /// - Throws: also if the request was cancelled.
    init(_ encoded: EncodedImage, _ cancellation: RunCancellation) throws {
        if cancellation.isCancelled { throw CancellationError() }
        let start = ContinuousClock.now
        self.encoded = encoded
        image = try Image(
            decoding: encoded.bytes, name: encoded.name ?? "the image", limits: encoded.limits,
            isCancelled: { cancellation.isCancelled })
        duration = ContinuousClock.now - start
    }

    func result(_ result: DetectionResult, _ cancellation: RunCancellation) throws -> ImageResult {
        if cancellation.isCancelled { throw CancellationError() }
        return ImageResult(
            name: encoded.name, result: result, decode: duration, warning: image.warning,
            drawn: try encoded.draw?(result, image))
    }
}
