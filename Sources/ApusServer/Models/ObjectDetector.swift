package import Apus
package import Engine

/// A loaded model as routes, queue and registry use it. In service it is the library's `Detector`; tests bring their own, and
/// need neither a model file nor a runtime.
///
/// Calls block, and may come from several threads at once.
package protocol ObjectDetector: Sendable {
    var summary: DetectorSummary { get }
    /// The network's own inputs and outputs.
    var signature: ModelSignature { get }
    /// Where the shapes that are ready by now came from.
    var preparedShapes: PreparedShapes { get }
    /// What is wrong with the device; nil if nothing is known to be.
    var deviceFault: ApusError? { get }

    /// Detects objects in images, on this thread. There is one result for each image, in the same order.
    ///
    /// - Parameter threshold: detections with a higher score are returned, 0 to 1.
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
    /// - Throws: `ApusError` with code `deviceFault` if the result is another one.
    func checkDevice() throws(ApusError)
}

/// How many of a model's shapes were read from the cache of compiled models, and how many were compiled.
package struct PreparedShapes: Sendable, Equatable {
    package var fromCache: Int
    package var compiled: Int

    package init(fromCache: Int, compiled: Int) {
        self.fromCache = fromCache
        self.compiled = compiled
    }
}
