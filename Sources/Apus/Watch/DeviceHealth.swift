package import Engine
internal import Foundation
internal import Remedies

/// Watches what a device answers while it works, and remembers a fault.
package final class DeviceHealth: @unchecked Sendable {  // what changes is touched under the lock only
    private let device: String
    private let watches: Bool
    /// Runs of a canvas between two canaries; 0 for none.
    private let interval: Int
    private let lock = NSLock()
    private var found: ApusError?
    /// How many faults were found.
    private var count = 0

    /// - Parameter interval: runs of a canvas between two canaries; 0 for a canary only when a run looks wrong.
    package init(device: String, watches: Bool, interval: Int) {
        self.device = device
        self.watches = watches
        self.interval = interval
    }

    /// What is wrong with the device; nil if nothing is known to be.
    package var fault: ApusError? { lock.withLock { found } }

    package func requireSound() throws(ApusError) {
        if let fault { throw fault }
    }

    /// The first answer of a new session to the canary; that run also moves the weights to the device.
    ///
    /// - Throws: `deviceFault` if it is no answer.
    package func firstAnswer(runCanary: () throws -> [String: Tensor]) throws -> Canary? {
        let outputs: [String: Tensor]
        do {
            outputs = try runCanary()
        } catch let error as EngineError where watches && error.code == .runFailed {
            throw report("it fails on a test picture: \(error.cause)")
        } catch let error as ApusError where error.code == .inference {
            guard watches else { return nil }
            throw report("its answer to a test picture is none: \(error.cause)")
        }
        guard watches else { return nil }
        if let problem = try AnswerWatch.problem(in: outputs) {
            throw report("its answer to a test picture is none: \(problem)")
        }
        return try Canary(outputs)
    }

    /// Looks at the outputs of a run, and at the canary when it is time.
    ///
    /// - Parameter canary: the canvas's; nil if none is watched.
    /// - Throws: `deviceFault`, or `inference` if only this picture fails.
    package func examine(
        _ outputs: [String: Tensor], canary: Canary?, runCanary: () throws -> [String: Tensor]
    ) throws {
        guard watches else { return }
        if let problem = try AnswerWatch.problem(in: outputs) {
            guard let canary else { throw report("\(problem), which no picture gives", isLasting: false) }
            try check(canary, runCanary: runCanary)
            throw ApusError(
                .inference, doing: "detect objects",
                cause: "\(problem); the device answers a test picture as before, so this picture is beyond the "
                    + "precision",
                remedy: "Try \(setting: .precision, "f32").")
        }
        if let canary, canary.isTime(each: interval) { try check(canary, runCanary: runCanary) }
    }

    /// Runs the canary and compares. A pass does not clear an earlier fault, which another canvas may have shown.
    package func check(_ canary: Canary, runCanary: () throws -> [String: Tensor]) throws {
        let outputs: [String: Tensor]
        do {
            outputs = try runCanary()
        } catch let error as EngineError {
            throw report("it fails on a test picture: \(error.cause)")
        } catch let error as ApusError where error.code == .inference {
            throw report("its answer to a test picture is none any more: \(error.cause)")
        }
        if let problem = try AnswerWatch.problem(in: outputs) {
            throw report("its answer to a test picture is none any more: \(problem)")
        }
        if let change = try canary.change(to: outputs) {
            throw report("its answer to a test picture has changed: \(change)")
        }
    }

    /// The number of the last fault, for `clear`.
    package var faultNumber: Int { lock.withLock { count } }

    /// Forgets faults up to one, after the canary was answered right on every canvas: a later one may be of a canvas that was
    /// looked at before.
    package func clear(upTo number: Int) {
        lock.withLock { if count <= number { found = nil } }
    }

    private func report(_ cause: String, isLasting: Bool = true) -> ApusError {
        let error = ApusError(
            .deviceFault, doing: "trust the device \(device)", cause: cause,
            remedy: "Its driver, the device or this precision fails: compare with apus verify, update the driver "
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
