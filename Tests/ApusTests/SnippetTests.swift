import Foundation
import TestSupport
import Testing

/// The Swift code in the documentation compiles, in an async context.
@Suite struct SnippetTests {
    struct Snippet: Sendable, CustomTestStringConvertible {
        var file: String
        var line: Int
        var code: String
        var testDescription: String { "\(file):\(line)" }
    }

    static let snippets: [Snippet] = {
        let root = Fixtures.projectFolder
        let docs = (try? FileManager.default.contentsOfDirectory(atPath: root + "/docs"))?.sorted() ?? []
        let files = ["README.md"] + docs.filter { $0.hasSuffix(".md") }.map { "docs/" + $0 }
        return files.flatMap { file -> [Snippet] in
            let text = (try? String(contentsOfFile: root + "/" + file, encoding: .utf8)) ?? ""
            var found: [Snippet] = []
            var open: Snippet?
            for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                if var snippet = open {
                    if line.hasPrefix("```") {
                        found.append(snippet)
                        open = nil
                    } else {
                        snippet.code += line + "\n"
                        open = snippet
                    }
                } else if line == "```swift" {
                    open = Snippet(file: file, line: index + 2, code: "")
                }
            }
            return found
        }
    }()

    @Test func thereAreSnippets() { #expect(SnippetTests.snippets.contains { $0.file == "README.md" }) }

    @Test(arguments: snippets) func itCompiles(snippet: Snippet) throws {
        let folder = try TemporaryFolder()
        let lines = snippet.code.split(separator: "\n", omittingEmptySubsequences: false)
        let imports = Set(lines.filter { $0.hasPrefix("import ") } + ["import Apus"])
        let body = lines.filter { !$0.hasPrefix("import ") }.joined(separator: "\n")
        let source = imports.sorted().joined(separator: "\n") + "\nfunc snippet() async throws {\n\(body)\n}\n"
        let path = try folder.write(Array(source.utf8), to: "snippet.swift")
        let modules = try #require(SnippetTests.modules)
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.arguments =
            ["swiftc", "-typecheck", "-swift-version", "6", "-parse-as-library", "-I", modules]
            + SnippetTests.moduleMaps(modules).flatMap { ["-Xcc", "-fmodule-map-file=" + $0] } + [path]
        let output = Pipe()
        compiler.standardError = output
        compiler.standardOutput = output
        try compiler.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        compiler.waitUntilExit()
        #expect(compiler.terminationStatus == 0, "\(text)")
    }

    /// Of our C targets, which those in Swift import: written by hand, or by the build.
    private static func moduleMaps(_ modules: String) -> [String] {
        let build = URL(fileURLWithPath: modules).deletingLastPathComponent().path
        let sources = Fixtures.projectFolder + "/Sources"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: sources)) ?? []
        return names.filter { $0.hasPrefix("C") }.compactMap { name in
            [
                "\(sources)/\(name)/module.modulemap", "\(sources)/\(name)/include/module.modulemap",
                "\(build)/\(name).build/module.modulemap",
            ]
            .first { FileManager.default.fileExists(atPath: $0) }
        }
    }

    /// Where the build put `Apus.swiftmodule`, next to the test bundle.
    private static var modules: String? {
        let arguments = CommandLine.arguments
        let bundle = arguments.first { $0.hasSuffix(".xctest") } ?? arguments[0]
        var folder = URL(fileURLWithPath: bundle).resolvingSymlinksInPath()
        for _ in 0..<4 {
            folder.deleteLastPathComponent()
            let modules = folder.appendingPathComponent("Modules").path
            if FileManager.default.fileExists(atPath: modules + "/Apus.swiftmodule") { return modules }
        }
        return nil
    }
}
