import Foundation
import TestSupport
import Testing

/// What is public says what it throws.
@Suite struct DocumentationTests {
    private struct Function: CustomStringConvertible {
        var place: String
        var documentation: [String]
        var signature: String
        var description: String { "\(place): \(signature)" }
    }

    /// The public functions and initializers that throw, of the modules that are products.
    private static func throwingFunctions() throws -> [Function] {
        var functions: [Function] = []
        for module in ["Apus", "ApusDrawing", "ApusWorkflows"] {
            let folder = Fixtures.projectFolder + "/Sources/" + module
            let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
            for file in files.sorted() where file.hasSuffix(".swift") {
                let text = try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
                let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
                    $0.trimmingCharacters(in: .whitespaces)
                }
                for (index, line) in lines.enumerated()
                where line.wholeMatch(of: /public (static |convenience |mutating )*(func|init\b).*/) != nil {
                    let rest = lines[index...].prefix(12)
                    let end = rest.firstIndex { $0.hasSuffix("{") } ?? index
                    let signature = lines[index...end].joined(separator: " ")
                    // After its own parameters, not a closure's among them.
                    guard signature.contains(/\) (async )?throws(\(\w+\))? (->|\{|where)/) else { continue }
                    let documentation = lines[..<index].reversed().prefix { $0.hasPrefix("///") || $0.hasPrefix("@") }
                    functions.append(
                        Function(
                            place: "\(module)/\(file):\(index + 1)", documentation: Array(documentation),
                            signature: signature))
                }
            }
        }
        return functions
    }

    @Test func everyPublicFunctionDocumentsItsErrors() throws {
        let functions = try DocumentationTests.throwingFunctions()
        #expect(functions.count > 20)
        let silent = functions.filter { !$0.documentation.contains { $0.hasPrefix("/// - Throws:") } }
        #expect(silent.isEmpty, "\(silent.map(\.description).joined(separator: "\n"))")
    }
}
