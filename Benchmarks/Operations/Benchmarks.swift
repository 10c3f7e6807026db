import Foundation

/// Counts the allocations of each operation, and compares them with the committed thresholds.
///
///     Benchmarks THRESHOLDS.json [--update]
@main struct Benchmarks {
    static func main() throws {
        var arguments = Array(CommandLine.arguments.dropFirst())
        let updates = arguments.last == "--update"
        if updates { arguments.removeLast() }
        guard arguments.count == 1 else {
            fail("usage: Benchmarks THRESHOLDS.json [--update]")
        }
        let url = URL(fileURLWithPath: arguments[0])
        var thresholds = try Thresholds(contentsOf: url)
        var failures: [String] = []
        var measured: [String: Allocations] = [:]
        for operation in Operation.all {
            let found = try operation.measure()
            measured[operation.name] = found
            let objection = updates ? nil : thresholds.objection(to: found, of: operation.name)
            let name = operation.name.padding(toLength: 24, withPad: " ", startingAt: 0)
            print("\(name) \(found.count) allocations, \(found.bytes) bytes" + (objection.map { "; \($0)" } ?? ""))
            if objection != nil { failures.append(operation.name) }
        }
        if updates {
            thresholds.operations = measured
            try thresholds.write(to: url)
            return
        }
        let gone = thresholds.operations.keys.filter { measured[$0] == nil }.sorted()
        guard failures.isEmpty, gone.isEmpty else {
            fail(
                "bench-allocations: above the threshold: \(failures.joined(separator: ", ")); "
                    + "not measured: \(gone.joined(separator: ", "))\n"
                    + "If intended, run make bench-allocations UPDATE=--update, and commit the file with the reason.")
        }
        print("bench-allocations: all \(measured.count) operations are within their thresholds")
    }

    private static func fail(_ message: String) -> Never {
        FileHandle.standardError.write(Data((message + "\n").utf8))
        exit(1)
    }
}
