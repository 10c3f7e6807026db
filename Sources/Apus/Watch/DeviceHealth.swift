package import Engine
internal import Foundation
internal import Remedies

/// Watches a device's outputs while it works, and remembers a fault.
package final class DeviceHealth: @unchecked Sendable {  // mutable state is touched under the lock only
    private let device: String
    private let watches: Bool
    /// Runs of a canvas between two canaries; 0 for none.
    private let interval: Int
    private let lock = NSLock()
    private var found: ApusError?
    /// The number of faults found.
    private var count = 0

    /// - Parameter interval: runs of a canvas between two canaries; 0 runs a canary only when a run looks wrong.
    package init(device: String, watches: Bool, interval: Int) {
        self.device = device
        self.watches = watches
        self.interval = interval
    }

    /// The device's known fault, if any.
    package var fault: ApusError? { lock.withLock { found } }

    package func requireSound() throws(ApusError) {
        if let fault { throw fault }
    }

    /// A new session's first output for the canary; that run also moves the weights to the device.
    ///
    /// - Throws: `deviceFault` if the output is invalid.
    package func firstAnswer(runCanary: () throws -> [String: Tensor]) throws -> Canary? {
        let outputs: [String: Tensor]
        do {
            outputs = try runCanary()
        } catch let error as EngineError where watches && error.code == .runFailed {
            throw report("it fails on a test image: \(error.cause)")
        } catch let error as ApusError where error.code == .inference {
            guard watches else { return nil }
            throw report("its output for a test image is invalid: \(error.cause)")
        }
        guard watches else { return nil }
        if let problem = try AnswerWatch.problem(in: outputs) {
            throw report("its output for a test image is invalid: \(problem)")
        }
        return try Canary(outputs)
    }

    /// Checks the outputs of a run, and runs the canary when it is due.
    ///
    /// - Parameter canary: the canvas's canary; nil if none is watched.
    /// - Throws: `deviceFault`, or `inference` if only this image fails.
    package func examine(
        _ outputs: [String: Tensor], canary: Canary?, runCanary: () throws -> [String: Tensor]
    ) throws {
        guard watches else { return }
        if let problem = try AnswerWatch.problem(in: outputs) {
            guard let canary else { throw report("\(problem), which no image produces", isLasting: false) }
            try check(canary, runCanary: runCanary)
            throw ApusError(
                .inference, doing: "detect objects",
                cause: "\(problem); the device's output for a test image is unchanged, so this image exceeds the "
                    + "precision",
                remedy: "Try \(setting: .precision, "f32").")
        }
        if let canary, canary.isTime(each: interval) { try check(canary, runCanary: runCanary) }
    }

    /// Runs the canary and compares its output. A pass doesn't clear an earlier fault, which another canvas may have shown.
    package func check(_ canary: Canary, runCanary: () throws -> [String: Tensor]) throws {
        let outputs: [String: Tensor]
        do {
            outputs = try runCanary()
        } catch let error as EngineError {
            throw report("it fails on a test image: \(error.cause)")
        } catch let error as ApusError where error.code == .inference {
            throw report("its output for a test image has become invalid: \(error.cause)")
        }
        if let problem = try AnswerWatch.problem(in: outputs) {
            throw report("its output for a test image has become invalid: \(problem)")
        }
        if let change = try canary.change(to: outputs) {
            throw report("its output for a test image has changed: \(change)")
        }
    }

    /// The number of the last fault, for `clear`.
    package var faultNumber: Int { lock.withLock { count } }

    /// Clears faults up to this number, after the canary passed on every canvas: a later fault may be of a canvas that was
    /// checked before it.
    package func clear(upTo number: Int) {
        lock.withLock { if count <= number { found = nil } }
    }

    private func report(_ cause: String, isLasting: Bool = true) -> ApusError {
        let error = ApusError(
            .deviceFault, doing: "trust the device \(device)", cause: cause,
            remedy: "Its driver, the device or this precision is faulty: compare with apus verify, update the driver "
                + "(apus doctor), try \(setting: .precision, "f32"), or use \(setting: .device, "cpu").")
        if isLasting {
            lock.withLock {
                found = error
                count += 1
            }
        }
        return error
    }
}
