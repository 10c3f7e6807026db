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
        let catalog = "Sources/Apus/Apus.docc"
        let articles = (try? FileManager.default.contentsOfDirectory(atPath: root + "/" + catalog))?.sorted() ?? []
        let files =
            ["README.md"] + docs.filter { $0.hasSuffix(".md") }.map { "docs/" + $0 }
            + articles.map { catalog + "/" + $0 }
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

    @Test(arguments: ["README.md", "Sources/Apus/Apus.docc/ModelsAndFamilies.md"]) func thereAreSnippets(file: String) {
        #expect(SnippetTests.snippets.contains { $0.file == file })
    }

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
            + SnippetTests.moduleMaps(modules).flatMap { ["-Xcc", "-fmodule-map-file=" + $0] }
            + SnippetTests.cairo.flatMap { ["-Xcc", $0] } + [path]
        let output = Pipe()
        compiler.standardError = output
        compiler.standardOutput = output
        try compiler.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        compiler.waitUntilExit()
        #expect(compiler.terminationStatus == 0, "\(text)")
    }

    /// Of C targets, ours and the dependencies', which those in Swift import: written by hand, or by the build.
    private static func moduleMaps(_ modules: String) -> [String] {
        let build = URL(fileURLWithPath: modules).deletingLastPathComponent().path
        let files = FileManager.default
        func folders(in folder: String) -> [String] {
            ((try? files.contentsOfDirectory(atPath: folder)) ?? []).sorted().map { "\(folder)/\($0)" }
        }
        // The scratch folder is two above the build's: .build/x86_64-unknown-linux-gnu/debug.
        let checkouts = URL(fileURLWithPath: build).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("checkouts").path
        let own = folders(in: Fixtures.projectFolder + "/Sources")
        // A test target of a dependency may have the name of another's.
        var maps: [String: String] = [:]
        for folder in own + folders(in: checkouts).flatMap({ folders(in: $0 + "/Sources") }) {
            let name = URL(fileURLWithPath: folder).lastPathComponent
            let candidates = ["\(folder)/module.modulemap", "\(folder)/include/module.modulemap"]
            let generated = "\(build)/\(name).build/module.modulemap"
            if let map = (candidates + [generated]).first(where: { files.fileExists(atPath: $0) }) {
                maps[name] = maps[name] ?? map
            }
        }
        return maps.values.sorted()
    }

    /// The folder of cairo's headers, as `-I/usr/include/cairo`.
    private static let cairo: [String] = {
        let tool = Process()
        tool.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tool.arguments = ["pkg-config", "--cflags-only-I", "cairo", "libcrypto"]
        let output = Pipe()
        tool.standardOutput = output
        guard (try? tool.run()) != nil else { return [] }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        tool.waitUntilExit()
        return text.split(whereSeparator: \.isWhitespace).map(String.init)
    }()

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
