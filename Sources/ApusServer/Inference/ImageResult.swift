package import Apus

/// What was detected in an image.
package struct ImageResult: Sendable {
    package var name: String?
    package var result: DetectionResult
    package var decode: Duration
    /// What the decoder found wrong, but could work around.
    package var warning: String?
    /// The image with the detections drawn on it, encoded.
    package var drawn: [UInt8]?
}
