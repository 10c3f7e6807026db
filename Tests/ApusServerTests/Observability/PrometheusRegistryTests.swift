import ApusServer
import CoreMetrics
import Foundation
import Testing

struct PrometheusRegistryTests {
    @Test func countersGaugesAndHistogramsAreWrittenSorted() {
        let registry = PrometheusRegistry()
        registry.describe("b_total", "B.")
        registry.describe("c", "C.", buckets: [1, 2.5])
        let counter = Counter(label: "b_total", dimensions: [("x", "1")], factory: registry)
        counter.increment(by: 2)
        counter.increment()
        Gauge(label: "a", factory: registry).record(0.5)
        let meter = Meter(label: "d", factory: registry)
        meter.increment(by: 3)
        meter.decrement()
        let recorder = Recorder(label: "c", aggregate: true, factory: registry)
        for value in [1, 2, 3] { recorder.record(value) }
        #expect(
            registry.text == """
                # TYPE a gauge
                a 0.5
                # HELP b_total B.
                # TYPE b_total counter
                b_total{x="1"} 3
                # HELP c C.
                # TYPE c histogram
                c_bucket{le="1"} 1
                c_bucket{le="2.5"} 2
                c_bucket{le="+Inf"} 3
                c_sum 6
                c_count 3
                # TYPE d gauge
                d 2

                """)
    }

    @Test func timersAreHistogramsOfSeconds() {
        let registry = PrometheusRegistry()
        let timer = CoreMetrics.Timer(label: "t", dimensions: [("a", "b")], factory: registry)
        timer.recordMilliseconds(3)
        timer.recordSeconds(120)
        let lines = registry.text.split(separator: "\n").map(String.init)
        #expect(lines.contains(#"t_bucket{a="b",le="0.0025"} 0"#) && lines.contains(#"t_bucket{a="b",le="0.005"} 1"#))
        #expect(lines.contains(#"t_bucket{a="b",le="60"} 1"#) && lines.contains(#"t_bucket{a="b",le="+Inf"} 2"#))
        #expect(lines.contains(#"t_sum{a="b"} 120.003"#) && lines.contains(#"t_count{a="b"} 2"#))
    }

    @Test func labelsAreEscaped() {
        let registry = PrometheusRegistry()
        Gauge(label: "a-b", dimensions: [("x y", "a\"b\\c\nd")], factory: registry).record(1)
        let line = registry.text.split(separator: "\n").last.map(String.init) ?? ""
        #expect(line.hasPrefix("a_b{x_y=\"a\\\"b\\\\c") && line.hasSuffix("d\"} 1"))
        #expect(registry.text.split(separator: "\n").count == 2)
    }

    /// A label that a client chooses must not fill the memory.
    @Test func thereIsALimitOfSeries() {
        let registry = PrometheusRegistry()
        for index in 0..<10_100 {
            Counter(label: "a", dimensions: [("i", "\(index)")], factory: registry).increment()
        }
        #expect(registry.text.split(separator: "\n").count == 10_001)
    }
}
