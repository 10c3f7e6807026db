import ApusServer
import Engine
import Foundation
import Synchronization

@testable import Apus

/// A detector without a model and a runtime: it returns what a test gives it, and remembers how it was called.
///
/// Its network is the identity, with an input and an output of the same name for each element type.
final class FakeDetector: ObjectDetector {
    struct Call: Sendable, Equatable {
        /// Width and height of each image.
        var sizes: [[Int]]
        var threshold: Float
    }

    private struct State {
        var calls: [Call] = []
        var fault: ApusError?
        var failure: ApusError?
    }

    static let sheep = Detection(
        score: 0.98, label: 20, category: "sheep", box: Box(xMin: 10.25, yMin: 20.5, xMax: 40.75, yMax: 44))
    static let dog = Detection(score: 0.95, label: 18, category: "dog", box: Box(xMin: -1, yMin: 2, xMax: 30, yMax: 99))
    static let unnamed = Detection(score: 0.92, label: 91, category: nil, box: Box(xMin: 1, yMin: 1, xMax: 2, yMax: 2))
    static let person = Detection(
        score: 0.5, label: 1, category: "person", box: Box(xMin: 5, yMin: 6, xMax: 7, yMax: 8))

    static let types: [(name: String, type: ElementType)] = [
        ("bool", .bool), ("uint8", .uint8), ("int32", .int32), ("int64", .int64), ("float16", .float16),
        ("float32", .float32), ("float64", .float64),
    ]

    let summary: DetectorSummary
    let signature: ModelSignature
    let preparedShapes = PreparedShapes(fromCache: 2, compiled: 1)
    private let found: [Detection]
    private let state = Mutex(State())

    init(
        _ found: [Detection] = [sheep, dog, unnamed, person], device: String = "CPU",
        verified: VerificationStatus.State = .yes
    ) {
        self.found = found
        summary = DetectorSummary(
            family: "fake", device: device, deviceName: "A device", deviceReason: "the test asked for it",
            precision: "f32", canvases: ["64x48"], canvasReason: "fixed", verified: verified,
            assumptions: ["labels: made up"], threshold: 0.9, loading: .milliseconds(12))
        let values = FakeDetector.types.map {
            ValueInfo(name: $0.name, elementType: $0.type, dimensions: [.dynamic("batch"), .fixed(2)])
        }
        signature = ModelSignature(inputs: values, outputs: values, metadata: [:])
    }

    var calls: [Call] { state.withLock { $0.calls } }

    var deviceFault: ApusError? { state.withLock { $0.fault } }

    func fail(_ error: ApusError?) { state.withLock { $0.failure = error } }

    func breakDevice(_ error: ApusError?) { state.withLock { $0.fault = error } }

    func detect(
        _ images: [Image], above threshold: Float, cancellation: RunCancellation?
    ) throws(ApusError) -> [DetectionResult] {
        let failure = state.withLock { state in
            state.calls.append(Call(sizes: images.map { [$0.width, $0.height] }, threshold: threshold))
            return state.fault ?? state.failure
        }
        if let failure { throw failure }
        return images.map {
            DetectionResult(
                detections: found.filter { $0.score > threshold }, width: $0.width, height: $0.height,
                timings: Timings(
                    preprocess: .milliseconds(1), inference: .milliseconds(2), postprocess: .milliseconds(3)))
        }
    }

    func infer(
        _ inputs: [String: Tensor], outputs names: [String]?, cancellation: RunCancellation?
    ) throws(ApusError) -> [String: Tensor] {
        if let failure = state.withLock({ $0.failure }) { throw failure }
        var outputs: [String: Tensor] = [:]
        for name in names ?? FakeDetector.types.map(\.name) {
            guard let input = inputs[name] else {
                throw ApusError(.option, doing: "run the model", cause: "the input \(name) is missing")
            }
            outputs[name] = input
        }
        return outputs
    }

    func checkDevice() throws(ApusError) {
        if let fault = deviceFault { throw fault }
    }
}
