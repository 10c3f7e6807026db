import Apus
import Engine
import Remedies
import Testing

/// A device that begins to answer wrong.
@Suite struct DeviceHealthTests {
    private func outputs(_ values: [Float]) throws -> [String: Tensor] {
        ["pred_logits": try Tensor(shape: [values.count], scalars: values)]
    }

    private let good: [Float] = [1, -2, 3, 0.5]

    @Test func answersThatCannotBeAreFaultsAndNotEmptyResults() throws {
        let health = DeviceHealth(device: "GPU.0 (Arc)", watches: true, interval: 0)
        for (wrong, cause) in [
            ([1, .nan], "holds NaN"), ([1, .infinity], "holds infinity"), ([2, 2, 2], "all 3 values"),
        ] as [([Float], String)] {
            let answer = try outputs(wrong)
            let error = #expect(throws: ApusError.self) {
                try health.examine(answer, canary: nil) {
                    Issue.record("there is no canary"); return [:]
                }
            }
            #expect(error?.code == .deviceFault)
            #expect(error?.cause.contains(cause) == true)
            #expect(error?.doing == "trust the device GPU.0 (Arc)")
            #expect(error?.remedy?.contains("apus verify") == true)
        }
        // One answer alone does not condemn a device.
        #expect(health.fault == nil)
    }

    @Test func aPictureBeyondThePrecisionIsNotTheDevicesFault() throws {
        let health = DeviceHealth(device: "GPU", watches: true, interval: 1000)
        let first = try health.firstAnswer { try outputs(good) }
        let bad = try outputs([.nan, 1])
        let error = #expect(throws: ApusError.self) {
            try health.examine(bad, canary: first) { try outputs(good) }
        }
        #expect(error?.code == .inference)
        #expect(error?.advice?.text(for: .command) == "Try --precision f32.")
        #expect(health.fault == nil)
    }

    @Test func aCanaryWhoseAnswerChangesIsALastingFaultUntilItIsRightAgain() throws {
        let health = DeviceHealth(device: "GPU", watches: true, interval: 3)
        let first = try #require(try health.firstAnswer { try outputs(good) })
        var canaries = 0
        var now = good
        func examine() throws {
            try health.examine(try outputs([5, 6]), canary: first) {
                canaries += 1
                return try outputs(now)
            }
        }
        for _ in 0..<3 { try examine() }
        #expect(canaries == 1)
        now = [1, -2, 2.5, 0.5]
        for _ in 0..<2 { try examine() }
        let error = #expect(throws: ApusError.self) { try examine() }
        #expect(error?.code == .deviceFault)
        #expect(
            error?.cause
                == "its output for a test image has changed: a value of the output pred_logits was 3.0 and is now 2.5"
        )
        #expect(throws: ApusError.self) { try health.requireSound() }
        now = good
        // Right on one canvas is not right on all.
        try health.check(first) { try outputs(now) }
        #expect(throws: ApusError.self) { try health.requireSound() }
        // Nor does an old look clear a fault that came after it.
        health.clear(upTo: health.faultNumber - 1)
        #expect(throws: ApusError.self) { try health.requireSound() }
        health.clear(upTo: health.faultNumber)
        try health.requireSound()
    }

    @Test func eachCanvasHasItsTurnAtTheCanary() throws {
        let health = DeviceHealth(device: "GPU", watches: true, interval: 2)
        let (one, other) = (
            try #require(try health.firstAnswer { try outputs(good) }),
            try #require(try health.firstAnswer { try outputs(good) })
        )
        var asked: [String] = []
        for _ in 0..<2 {
            try health.examine(try outputs([5, 6]), canary: one) {
                asked.append("one")
                return try outputs(good)
            }
            try health.examine(try outputs([5, 6]), canary: other) {
                asked.append("other")
                return try outputs(good)
            }
        }
        #expect(asked == ["one", "other"])
    }

    @Test func withoutRegularCanariesAWrongRunIsStillExamined() throws {
        let health = DeviceHealth(device: "GPU", watches: true, interval: 0)
        let first = try #require(try health.firstAnswer { try outputs(good) })
        let error = #expect(throws: ApusError.self) {
            try health.examine(try outputs([.nan, 1]), canary: first) { try outputs([9, 9, 8, 7]) }
        }
        #expect(error?.code == .deviceFault)
        #expect(health.fault != nil)
    }

    @Test func aCanaryThatCannotBeReadAsDetectionsIsAFault() throws {
        let unreadable = ApusError(.inference, doing: "read", cause: "it holds values that are no scores or boxes")
        let health = DeviceHealth(device: "GPU", watches: true, interval: 0)
        let error = #expect(throws: ApusError.self) { try health.firstAnswer { throw unreadable } }
        #expect(error?.code == .deviceFault)
        #expect(
            error?.cause
                == "its output for a test image is invalid: it holds values that are no scores or boxes")
        let first = try #require(try health.firstAnswer { try outputs(good) })
        #expect(throws: ApusError.self) { try health.check(first) { throw unreadable } }
        // Where answers are judged otherwise, any will do.
        let blind = DeviceHealth(device: "GPU", watches: false, interval: 0)
        #expect(try blind.firstAnswer { throw unreadable } == nil)
    }

    @Test func roundingIsNoChange() throws {
        let health = DeviceHealth(device: "GPU", watches: true, interval: 1)
        let first = try #require(try health.firstAnswer { try outputs(good) })
        try health.check(first) { try outputs(good.map { $0 * 1.001 }) }
    }

    @Test func aDeviceThatFailsOnTheCanaryIsAFault() throws {
        let health = DeviceHealth(device: "GPU", watches: true, interval: 1)
        let first = try #require(try health.firstAnswer { try outputs(good) })
        let error = #expect(throws: ApusError.self) {
            try health.check(first) { throw EngineError(.runFailed, doing: "run", cause: "device lost") }
        }
        #expect(error?.cause == "it fails on a test image: device lost")
        #expect(throws: ApusError.self) { try health.firstAnswer { try outputs([0, 0, 0]) } }
        let lost = #expect(throws: ApusError.self) {
            try health.firstAnswer { throw EngineError(.runFailed, doing: "run", cause: "device lost") }
        }
        #expect(lost?.code == .deviceFault)
    }
}
