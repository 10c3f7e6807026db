/// Something that can be set on the command line (`--max-body`), in the environment (`APUS_MAX_BODY`) and in a file
/// (`max-body:`).
package struct Setting: Sendable {
    package enum Kind: Sendable {
        case text
        /// "true" or "false".
        case flag
        /// May be given several times; in the environment with commas between.
        case list
        case count(ClosedRange<Int>)
        case fraction
        /// "20MB", "64KiB", "1000".
        case bytes
        /// Seconds, as "30", "0.5" or "500ms".
        case seconds
        /// The same, or "off".
        case secondsOrOff
    }

    package var name: String
    package var kind: Kind
    /// Nil if nothing is set by default.
    package var standard: String?

    package init(_ name: String, _ kind: Kind, _ standard: String? = nil) {
        self.name = name
        self.kind = kind
        self.standard = standard
    }

    /// As "APUS_MAX_BODY".
    package var variable: String { "APUS_" + name.uppercased().replacing("-", with: "_") }

    /// All that a server knows, in the order in which they are printed.
    package static let all: [Setting] = [
        Setting("model", .list), Setting("family", .text), Setting("device", .text, "auto"),
        Setting("precision", .text, "auto"),
        Setting("provider", .text, "auto"), Setting("threshold", .fraction, "0.9"), Setting("labels", .text),
        Setting("shapes", .text, "auto"), Setting("preparation", .text, "before-ready"),
        Setting("cache-dir", .text), Setting("no-cache", .flag, "false"),
        Setting("verify", .text, "auto"), Setting("require-verified", .flag, "false"), Setting("runtime", .text),
        Setting("host", .text, "127.0.0.1"), Setting("port", .count(0...65535), "8000"),
        Setting("grpc-port", .count(0...65535)),
        Setting("max-body", .bytes, "20MB"), Setting("max-bodies", .bytes, "256MB"),
        Setting("max-pixels", .count(1...1_000_000_000), "50000000"),
        Setting("max-connections", .count(1...1_000_000), "4096"), Setting("queue", .count(0...100_000), "64"),
        Setting("concurrency", .count(1...64), "1"), Setting("max-batch", .count(1...64), "1"),
        Setting("batch-delay-ms", .count(0...10_000), "0"), Setting("timeout", .seconds, "30"),
        Setting("body-timeout", .seconds, "30"), Setting("idle-timeout", .seconds, "60"),
        Setting("grace", .seconds, "30"), Setting("tls-cert", .text), Setting("tls-key", .text),
        Setting("api-key-file", .text), Setting("metrics", .flag, "true"), Setting("page", .flag, "true"),
        Setting("cors-origin", .list), Setting("url-host", .list), Setting("url-timeout", .seconds, "10"),
        Setting("deepstack-limit", .count(1...1000)),
        Setting("deepstack-confidence", .fraction, "0.4"), Setting("reload-interval", .secondsOrOff, "2"),
        Setting("log-format", .text, "text"), Setting("log-level", .text, "info"),
    ]

    /// Variables of other parts of Apus, which are no settings of a server.
    package static let otherVariables: Set = [
        "APUS_RUNTIME", "APUS_CONFIG", "APUS_REQUIRE_RUNTIME", "APUS_SIMULATED_GPU", "APUS_RECORD_HELP",
        "APUS_FUZZ", "APUS_LEAN",
    ]
}
