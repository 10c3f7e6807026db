package import Apus

/// An image as a client sent it.
package struct EncodedImage: Sendable {
    /// What the client calls it.
    package var name: String?
    /// The file, which may be part of a larger body.
    package var bytes: ArraySlice<UInt8>
    package var limits: Image.Limits
    /// Draws the detections while the image is decoded; nil if they aren't to be drawn.
    package var draw: (@Sendable (DetectionResult, Image) throws -> [UInt8])?
    /// By which its bytes count as long as it is there.
    package var lease: BodyReader.Lease?

    package init(
        name: String?, bytes: ArraySlice<UInt8>, limits: Image.Limits, lease: BodyReader.Lease? = nil,
        draw: (@Sendable (DetectionResult, Image) throws -> [UInt8])? = nil
    ) {
        self.name = name
        self.bytes = bytes
        self.limits = limits
        self.lease = lease
        self.draw = draw
    }
}
