package import Apus
package import Engine

/// A loaded model as used by routes, queue and registry. In production, the library's `Detector`; tests use their own, which
/// needs neither a model file nor a runtime.
///
/// Calls block, and may be made from several threads at once.
package protocol ObjectDetector: Sendable {
    var summary: DetectorSummary { get }
    /// The network's own inputs and outputs.
    var signature: ModelSignature { get }
    /// The origins of the shapes that are ready so far.
    var preparedShapes: PreparedShapes { get }
    /// The device's fault; nil if none is known.
    var deviceFault: ApusError? { get }

    /// Detects objects in images, on this thread. Returns one result per image, in the same order.
    ///
    /// - Parameter threshold: 0 to 1; detections with a higher score are returned.
    func detect(
        _ images: [Image], above threshold: Float, cancellation: RunCancellation?
    ) throws(ApusError) -> [DetectionResult]

    /// Runs the network on tensors, on this thread.
    ///
    /// - Parameter names: the outputs to compute; nil for all.
    func infer(
        _ inputs: [String: Tensor], outputs names: [String]?, cancellation: RunCancellation?
    ) throws(ApusError) -> [String: Tensor]

    /// Runs an image with a known result on the device.
    ///
    /// - Throws: `ApusError` with code `deviceFault` if the result differs.
    func checkDevice() throws(ApusError)
}

/// How many of a model's shapes were read from the cache of compiled models, and how many compiled.
package struct PreparedShapes: Sendable, Equatable {
    package var fromCache: Int
    package var compiled: Int

    package init(fromCache: Int, compiled: Int) {
        self.fromCache = fromCache
        self.compiled = compiled
    }
}
