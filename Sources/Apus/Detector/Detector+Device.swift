package import Engine
internal import Imaging

/// Watching the device, and inspecting the model's raw outputs.
extension Detector {
    /// Determines with a test image whether the image or the device caused a failure.
    func checkDevice(after entry: SessionPool.Entry) throws {
        guard let canary = entry.canary else { return }
        try health.check(canary) { try canaryOutputs(entry) }
    }

    func canaryOutputs(_ entry: SessionPool.Entry) throws -> [String: Tensor] {
        try adapter.answerCanary(entry.session, try adapter.inputs.tensors(for: [Canary.picture], on: entry.canvas))
    }

    /// An image's raw outputs and detections, whether or not they can be right.
    ///
    /// - Parameter perturbation: how far the pixels are moved, as a share of each, to measure the network's sensitivity.
    package func answer(
        _ image: Image, threshold: Float, perturbation: Float = 0
    ) throws(ApusError) -> RawAnswer {
        try ApusError.wrapping(doing: "run the model") {
            let wanted = adapter.inputs.placement(of: image.size).canvas
            let entry = try pool.entry(at: pool.index(for: wanted))
            let placement = adapter.inputs.placement(of: image.size, on: entry.canvas?.size)
            var inputs = try adapter.inputs.tensors(for: [image], [placement], on: entry.canvas)
            if perturbation > 0 { inputs = try inputs.mapValues { try $0.perturbed(by: perturbation) } }
            let start = ContinuousClock.now
            let outputs = try run(inputs, on: entry, count: 1, cancellation: nil)
            let duration = ContinuousClock.now - start
            let found = Result { () throws(ApusError) in
                try ApusError.wrapping(doing: "read the outputs") {
                    try adapter.detections(
                        in: ModelOutputs(outputs), placements: [placement],
                        options: DecodingOptions(threshold: threshold))[0]
                }
            }
            return RawAnswer(outputs: outputs, detections: found, inference: duration)
        }
    }

    /// Canvases that none of the images uses.
    package func canvases(without images: [Image]) -> [PixelSize] {
        let used = Set(images.map { pool.index(for: adapter.inputs.placement(of: $0.size).canvas) })
        return execution.canvases.indices.filter { !used.contains($0) }.map { execution.canvases[$0] }
    }

    /// Runs an image whose output is known on each canvas; does nothing where none is known, as on a CPU.
    ///
    /// - Throws: `ApusError` with code `deviceFault` if the output changed. From then on `detect` throws it too, until a later
    ///   check passes.
    public func checkDevice() throws(ApusError) {
        try ApusError.wrapping(doing: "check the device") {
            let known = health.faultNumber
            for entry in pool.entries { try checkDevice(after: entry) }
            health.clear(upTo: known)
        }
    }

    /// The fault that the watch found in the device, if any.
    public var deviceFault: ApusError? { health.fault }
}

/// An image's raw outputs, whether or not they can be right.
package struct RawAnswer {
    package var outputs: [String: Tensor]
    /// The detections, or why none can be read from the outputs.
    package var detections: Result<[Detection], ApusError>
    package var inference: Duration
}

extension ModelInputs {
    /// The model's inputs for images of any size.
    func tensors(for images: [Image], on canvas: Canvas? = nil) throws -> [String: Tensor] {
        try tensors(for: images, images.map { placement(of: $0.size, on: canvas?.size) }, on: canvas)
    }

    /// The model's inputs for images placed as `placements` define.
    func tensors(for images: [Image], _ placements: [Placement], on canvas: Canvas?) throws -> [String: Tensor] {
        try tensors(
            for: zip(images, placements).map { image, placement in
                (ResizedPixels(image.bitmap, size: placement.content, interpolation), placement)
            }, on: canvas)
    }
}

extension ModelAdapter {
    func run(_ session: any EngineSession, _ images: [Image], on canvas: Canvas?) throws -> [String: Tensor] {
        try session.run(try inputs.tensors(for: images, on: canvas), outputs: outputNames)
    }

    /// - Throws: `ApusError` with code `inference` if no detections can be read from the outputs.
    func answerCanary(_ session: any EngineSession, _ inputs: [String: Tensor]) throws -> [String: Tensor] {
        let outputs = try session.run(inputs, outputs: outputNames)
        let placement = self.inputs.placement(of: Canary.picture.size)
        _ = try detections(
            in: ModelOutputs(outputs), placements: [placement], options: DecodingOptions(threshold: 1))
        return outputs
    }
}

extension Image {
    var size: PixelSize { PixelSize(width: width, height: height) }
}
