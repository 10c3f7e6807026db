import AllocationCounter
import Foundation

/// An operation of Apus per image or model, whose allocations are counted.
struct Operation {
    var name: String
    /// Its input is created once, and not counted.
    var prepare: () throws -> () throws -> Void

    init(_ name: String, _ prepare: @escaping () throws -> () throws -> Void) {
        self.name = name
        self.prepare = prepare
    }

    /// The minimum of several runs: other threads may allocate in between, and the first run fills caches.
    func measure() throws -> Allocations {
        let work = try prepare()
        for _ in 0..<3 { try work() }
        return try (0..<10).map { _ in
            let before = apus_allocations_so_far()
            try work()
            let after = apus_allocations_so_far()
            return Allocations(count: Int(after.count - before.count), bytes: Int(after.bytes - before.bytes))
        }.reduce(Allocations(count: .max, bytes: .max)) {
            Allocations(count: min($0.count, $1.count), bytes: min($0.bytes, $1.bytes))
        }
    }
}

/// The number of allocations, and their total bytes.
struct Allocations: Codable, Equatable {
    var count: Int
    var bytes: Int
}

/// The committed counts, by operation.
struct Thresholds: Codable {
    /// The tolerated excess, in percent, as compilers differ.
    var tolerance: Int
    var operations: [String: Allocations]

    init(contentsOf url: URL) throws {
        self = try JSONDecoder().decode(Thresholds.self, from: Data(contentsOf: url))
    }

    func write(to url: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try (encoder.encode(self) + Data("\n".utf8)).write(to: url)
    }

    /// Why a measurement fails; nil if it passes.
    func objection(to measured: Allocations, of name: String) -> String? {
        guard let committed = operations[name] else { return "has no threshold" }
        func grown(_ measured: Int, _ committed: Int) -> Bool { measured * 100 > committed * (100 + tolerance) }
        let parts =
            (grown(measured.count, committed.count) ? ["\(committed.count) allocations allowed"] : [])
            + (grown(measured.bytes, committed.bytes) ? ["\(committed.bytes) bytes allowed"] : [])
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
}
