import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: TestRuntime.isWanted)) struct DetectTests {
    private static let pictures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Examples/pictures").path
    private var farm: String { DetectTests.pictures + "/farm.jpg" }

    @Test func aTableForPeople() async throws {
        let run = try await Command.run("detect", farm, "--device", "cpu")
        #expect(run.status == 0)
        #expect(run.errors == "")
        let lines = run.output.split(separator: "\n").map(String.init)
        #expect(lines.first == "\(farm)  640x480")
        #expect(lines.contains("  object    score     left      top    right   bottom"))
        let found = lines.filter { $0.contains("0.9") && $0.hasPrefix("  ") && !$0.contains("ms") }
        #expect(
            found.map { String($0.trimmingCharacters(in: .whitespaces).prefix(while: \.isLetter)) }
                == ["sheep", "horse", "cow", "person", "apple", "dog"])
        #expect(lines.contains("model     demo (detr, f32)"))
        #expect(
            lines.contains {
                $0.hasPrefix("device    CPU: ") && $0.hasSuffix("(device cpu was requested; f32 is its default)")
            })
        #expect(lines.contains { $0.contains("nodes on OpenVINOExecutionProvider") })
    }

    @Test func jsonCarriesWhatPeopleAskFor() async throws {
        let run = try await Command.run("detect", farm, "--format", "json", "--device", "cpu")
        #expect(run.status == 0)
        let list = try #require(run.json as? [[String: Any]])
        let report = try #require(list.first)
        #expect(list.count == 1)
        #expect(report["image"] as? String == farm)
        #expect(report["width"] as? Int == 640 && report["height"] as? Int == 480)
        #expect(report["model"] as? String == "demo")
        #expect(report["provider"] as? String == "OpenVINOExecutionProvider")
        #expect(report["device"] as? String == "CPU")
        #expect(report["precision"] as? String == "f32")
        #expect((report["nodes"] as? [String: Int])?["OpenVINOExecutionProvider"].map { $0 > 100 } == true)
        let timings = try #require(report["timings_ms"] as? [String: Double])
        #expect(Set(timings.keys) == ["decode", "preprocess", "inference", "postprocess"])
        #expect(timings.values.allSatisfy { $0 > 0 })
        let results = try #require(report["results"] as? [[String: Any]])
        #expect(results.count == 6)
        let sheep = try #require(results.first)
        #expect(sheep["category"] as? String == "sheep" && sheep["label"] as? Int == 20)
        #expect((sheep["score"] as? Double).map { $0 > 0.99 } == true)
        #expect((sheep["boxes"] as? [Double])?.map { ($0 / 10).rounded() } == [42, 29, 55, 42])
    }

    @Test func oneFailingFileDoesNotStopTheOthers() async throws {
        let folder = try TemporaryFolder()
        let broken = try folder.write(Array("no picture".utf8), to: "broken.jpg")
        let run = try await Command.run("detect", farm, broken, "/nonexistent.jpg", farm, "--format", "jsonl")
        #expect(run.status == 1)
        let lines = try run.output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(lines.count == 4)
        #expect(lines.map { $0["results"] != nil } == [true, false, false, true])
        #expect((lines[1]["error"] as? [String: String])?["code"] == "image")
        #expect((lines[1]["error"] as? [String: String])?["remedy"] != nil)
        #expect(run.errors.contains("could not read \(broken): it is not a JPEG, PNG or WebP image"))
        #expect(run.errors.contains("could not read /nonexistent.jpg: there is no such file"))
    }

    @Test func jsonStaysOneDocumentWhenAPictureFails() async throws {
        let run = try await Command.run("detect", farm, "/nonexistent.jpg", "--format", "json")
        #expect(run.status == 1)
        #expect((run.json as? [[String: Any]])?.count == 2)
    }

    @Test func foldersGlobsAndStandardInputAreRead() async throws {
        let folder = try TemporaryFolder()
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: farm)))
        for name in ["a.jpg", "sub/deep/b.JPG", "sub/notes.txt", "[odd].jpg"] { try folder.write(bytes, to: name) }
        func images(_ run: Command) -> [String] {
            run.output.split(separator: "\n").compactMap {
                (try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])?["image"] as? String
            }
        }
        let path = folder.url.path
        #expect(
            images(try await Command.run("detect", path, "--format", "jsonl"))
                == ["\(path)/[odd].jpg", "\(path)/a.jpg", "\(path)/sub/deep/b.JPG"])
        #expect(
            images(try await Command.run("detect", path + "/*/*/*.JPG", "--format", "jsonl")) == [
                "\(path)/sub/deep/b.JPG"
            ])
        #expect(
            images(try await Command.run("detect", path + "/[odd].jpg", "--format", "jsonl")) == ["\(path)/[odd].jpg"])
        let piped = try await Command.run("detect", "-", "--format", "jsonl", input: bytes)
        #expect(images(piped) == ["-"] && piped.status == 0)
        let none = try await Command.run("detect", path + "/*.gif")
        #expect(none.status == 1 && none.errors.contains("no file matches"))
        // One match that cannot be read leaves the others; a link to a folder is that folder.
        try FileManager.default.createDirectory(atPath: folder.path("void"), withIntermediateDirectories: true)
        let some = try await Command.run("detect", path + "/{a.jpg,void}", "--format", "jsonl")
        #expect(some.status == 1 && images(some) == ["\(path)/a.jpg", "\(path)/void"])
        try FileManager.default.createSymbolicLink(atPath: folder.path("link"), withDestinationPath: folder.path("sub"))
        #expect(images(try await Command.run("detect", path + "/link", "--format", "jsonl")).count == 1)
        let nothing = try await Command.run("detect", path + "/*.gif", "--format", "json")
        #expect(nothing.status == 1 && (nothing.json as? [[String: Any]])?.first?["error"] != nil)
        let empty = try TemporaryFolder()
        #expect(try await Command.run("detect", empty.url.path).errors.contains("the folder contains no images"))
    }

    @Test func aDamagedPictureThatCanBeReadCarriesAWarning() async throws {
        let folder = try TemporaryFolder()
        var bytes = try Fixtures.bytes("images/baseline.jpg")
        bytes.replaceSubrange((bytes.count / 2)..<(bytes.count / 2 + 2), with: [0xFF, 0xD0])
        let path = try folder.write(bytes, to: "damaged.jpg")
        let run = try await Command.run("detect", path, "--format", "json")
        #expect(run.status == 0)
        #expect(run.errors.hasPrefix("apus: warning: \(path) is damaged, but could be read ("))
        #expect((run.json as? [[String: Any]])?.first?["warning"] != nil)
    }

    // MARK: Annotated copies

    @Test func anAnnotatedCopyIsWritten() async throws {
        let folder = try TemporaryFolder()
        let run = try await Command.run("detect", farm, "--output", folder.path("boxes.png"))
        #expect(run.status == 0)
        #expect(run.output.contains("boxes drawn in \(folder.path("boxes.png"))"))
        let bytes = try Data(contentsOf: folder.url.appendingPathComponent("boxes.png"))
        #expect(bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]))
    }

    @Test func copiesOfSeveralPicturesGoToAFolderUnderNamesOfTheirOwn() async throws {
        let folder = try TemporaryFolder()
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: farm)))
        let (a, b) = (try folder.write(bytes, to: "1/x.jpg"), try folder.write(bytes, to: "2/x.jpg"))
        let run = try await Command.run("detect", a, b, "--output", folder.path("out"))
        #expect(run.status == 0)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path("out")).sorted()
                == ["x-2.boxes.png", "x.boxes.png"])
        let file = try await Command.run("detect", a, b, "--output", folder.path("one.png"))
        #expect(file.status == 1 && file.errors.contains("Name a folder: --output folder/"))
    }

    @Test func thePictureItselfIsNeverOverwritten() async throws {
        let folder = try TemporaryFolder()
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: farm)))
        let path = try folder.write(bytes, to: "x.jpg")
        let run = try await Command.run("detect", path, "--output", path)
        #expect(run.status == 1 && run.errors.contains("it is one of the input images"))
        #expect(try [UInt8](Data(contentsOf: URL(fileURLWithPath: path))) == bytes)
        let gif = try await Command.run("detect", path, "--output", folder.path("x.gif"))
        #expect(gif.status == 1 && gif.errors.contains("Use a name that ends in .png or .jpg."))
    }

    @Test func noSourceIsOverwrittenByACopyOfAnother() async throws {
        let folder = try TemporaryFolder()
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: farm)))
        let (a, b) = (try folder.write(bytes, to: "a.jpg"), try folder.write(bytes, to: "a.boxes.png"))
        let run = try await Command.run("detect", a, b, "--output", folder.url.path)
        #expect(run.status == 1 && run.errors.contains("it is one of the input images"))
        #expect(try [UInt8](Data(contentsOf: URL(fileURLWithPath: b))) == bytes)
    }

    // MARK: Options

    @Test func labelsAndThresholdAreTaken() async throws {
        let folder = try TemporaryFolder()
        let labels = try folder.write(Array(#"{"20": "Schaf"}"#.utf8), to: "labels.json")
        let run = try await Command.run("detect", farm, "--labels", labels, "--threshold", "0.9991")
        #expect(run.output.contains("  Schaf"))
        #expect(!run.output.contains("class 21"))
        let loose = try await Command.run("detect", farm, "--labels", labels, "--threshold", "0.5")
        #expect(loose.output.contains("  class 21"))
    }

    @Test func wrongOptionsAreUsageErrors() async throws {
        for options in [
            ["--device", "cuda"], ["--precision", "f8"], ["--threshold", "2"], ["--format", "xml"],
            ["--max-pixels", "0"], ["--max-pixels", "9223372036854775807"],
        ] {
            let run = try await Command.run(executable: Command.apus, ["detect", farm] + options)
            #expect(run.status == 64)
            #expect(run.errors.contains("Usage: apus detect"))
        }
        #expect(try await Command.run("detect").status == 64)
        #expect(try await Command.run("detect", "-", "-").errors.contains("Standard input can be read only once."))
    }

    /// In a pseudo-terminal the bar moves and is gone at the end; in a pipe there is none.
    @Test func manyPicturesShowProgressOnATerminalOnly() async throws {
        let inside = "\(Command.apus) detect \(farm) \(farm) \(farm) --format jsonl > /dev/null"
        let run = try await Command.run(
            executable: "/usr/bin/script", ["-qec", inside, "/dev/null"], environment: ["TERM": "xterm"])
        #expect(run.status == 0)
        #expect(run.output.contains("1/3") && run.output.contains("2/3") && run.output.contains("█"))
        #expect(run.output.hasSuffix("\u{1B}[K"))
        #expect(try await Command.run("detect", farm, farm, farm).errors == "")
    }
}
