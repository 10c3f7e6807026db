package import Apus

/// The detections in an image.
package struct ImageResult: Sendable {
    package var name: String?
    package var result: DetectionResult
    package var decode: Duration
    /// Defects that the decoder could work around.
    package var warning: String?
    /// The encoded image with the detections drawn on it.
    package var drawn: [UInt8]?
}
