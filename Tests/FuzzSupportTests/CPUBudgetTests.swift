import FuzzSupport
import Synchronization
import Testing

/// Processor time is made up here: what each run of an input costs is known.
@Suite struct CPUBudgetTests {
    private final class Machine: Sendable {
        private let time = Mutex(0.0)
        private let reports = Mutex<[String]>([])

        var findings: [String] { reports.withLock { $0 } }

        func now() -> Double { time.withLock { $0 } }
        func pass(_ seconds: Double) { time.withLock { $0 += seconds } }
        func report(_ text: String) { reports.withLock { $0.append(text) } }
    }

    private let machine = Machine()
    private let budget: CPUBudget

    init() { budget = CPUBudget(clock: machine.now, report: machine.report) }

    /// Runs an input whose first run costs `first`, and every other one `then`.
    private func run(bytes: Int, first: Double, then: Double? = nil, size: Int? = nil) {
        var runs = 0
        _ = [UInt8](repeating: 0, count: bytes).withUnsafeBufferPointer { input in
            budget.run(input.baseAddress, bytes) { _ in
                machine.pass(runs == 0 ? first : then ?? first)
                runs += 1
                return size ?? bytes
            }
        }
    }

    /// A microsecond per byte, with a few cheap ones.
    private func makeMedian() {
        for index in 0..<1000 { run(bytes: 2000, first: index.isMultiple(of: 10) ? 1e-6 : 2e-3) }
        #expect(machine.findings.isEmpty)
    }

    @Test func anInputFarAboveTheMedianIsAFinding() {
        makeMedian()
        run(bytes: 4000, first: 40 * 4e-3)
        #expect(machine.findings.isEmpty)
        run(bytes: 4000, first: 60 * 4e-3)
        #expect(machine.findings.count == 1)
        #expect(machine.findings.first?.contains("this input of 4000 bytes") == true)
    }

    @Test func noiseIsNotAFinding() {
        makeMedian()
        run(bytes: 4000, first: 5, then: 4e-3)
        #expect(machine.findings.isEmpty)
    }

    @Test func declaredSizesCount() {
        makeMedian()
        run(bytes: 100, first: 0.5, size: 100_000)
        #expect(machine.findings.isEmpty)
        run(bytes: 100, first: 0.5)
        #expect(machine.findings.count == 1)
    }

    @Test func theFirstInputsAndCheapOnesAreNot() {
        run(bytes: 10, first: 100)
        for _ in 0..<1000 { run(bytes: 10, first: 1e-9) }
        run(bytes: 10, first: 4e-3)
        #expect(machine.findings.isEmpty)
        run(bytes: 10, first: 6e-3)
        #expect(machine.findings.count == 1)
    }
}
