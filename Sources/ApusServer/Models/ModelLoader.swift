package import Apus
internal import ApusWorkflows
package import Logging
internal import Remedies

/// Loads detectors for the server; if configured, verifies a device's results before serving any.
package struct ModelLoader: Sendable {
    /// Which models to verify when they are loaded; verified ones are not verified again.
    package enum Verification: String, Sendable, CaseIterable {
        /// On a GPU or an NPU, whose results depend on drivers.
        case auto
        /// On a CPU too.
        case always
        case never
    }

    private let configuration: Detector.Configuration
    private let verification: Verification
    private let logger: Logger

    package init(
        configuration: Detector.Configuration, verification: Verification, logger: Logger
    ) {
        self.configuration = configuration
        self.verification = verification
        self.logger = logger
    }

    /// Loads and compiles a model, which takes seconds to minutes.
    package func detector(_ name: String, _ model: Model) throws -> Detector {
        var unverified = configuration
        unverified.requiresVerified = false
        do {
            // In its own scope, so that two are not in memory longer than needed.
            let detector = try Detector(model: model, configuration: unverified)
            guard isToBeVerified(detector) else {
                return configuration.requiresVerified
                    ? try Detector(model: model, configuration: configuration) : detector
            }
            try verify(detector, name, model)
        }
        // Reload, because a detector reports its verdict.
        let detector = try Detector(model: model, configuration: configuration)
        if detector.execution.verification.state == .no {
            let remedy: Remedy =
                "Update the driver, or use another \(setting: .precision) or \(setting: .device); \(setting: .requireVerified) rejects it."
            logger.error(
                "the device's results are wrong",
                metadata: [
                    "model": "\(name)", "device": "\(detector.execution.device)",
                    "found": "\(detector.execution.verification.summary ?? "")",
                    "remedy": "\(remedy.text(for: .server))",
                ])
        }
        return detector
    }

    private func isToBeVerified(_ detector: Detector) -> Bool {
        guard detector.execution.verification.state == .never else { return false }
        return switch verification {
        case .auto: detector.execution.device != "CPU"
        case .always: true
        case .never: false
        }
    }

    private func verify(_ detector: Detector, _ name: String, _ model: Model) throws {
        logger.info(
            "verifying the model's results before it is used, once for this model, device and driver",
            metadata: ["model": "\(name)", "device": "\(detector.execution.device)"])
        var judged = configuration
        judged.precision = detector.execution.precision ?? .auto
        do {
            let report = try Verifier(model: model, configuration: judged, reference: .cpu).report(
                on: try SamplePictures.all(), progress: { _ in })
            for note in report.notes { logger.warning("verification", metadata: ["note": "\(note)"]) }
        } catch {
            // The model stays unverified, and is reported and treated as such.
            logger.error("the model could not be verified", metadata: ["model": "\(name)", "error": "\(error)"])
        }
    }
}
