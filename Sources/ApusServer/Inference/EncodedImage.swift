package import Apus

/// An image as a client sent it.
package struct EncodedImage: Sendable {
    /// The client's name for it.
    package var name: String?
    /// The encoded file, which may be part of a larger body.
    package var bytes: ArraySlice<UInt8>
    package var limits: Image.Limits
    /// Draws the detections while the image is decoded; nil to draw nothing.
    package var draw: (@Sendable (DetectionResult, Image) throws -> [UInt8])?
    /// Accounts for its bytes for as long as it exists.
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
