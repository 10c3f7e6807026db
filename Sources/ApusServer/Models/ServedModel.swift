package import Apus

/// A model that is loaded, compiled and warmed up. Requests keep the one they began with when a newer one takes its place.
package final class ServedModel: Sendable {
    package let name: String
    /// How often a model of this name was loaded, from 1.
    package let version: Int
    package let detector: Detector

    package init(name: String, version: Int, detector: Detector) {
        self.name = name
        self.version = version
        self.detector = detector
    }
}
