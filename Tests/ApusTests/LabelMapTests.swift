import Apus
import TestSupport
import Testing

@Suite struct LabelMapTests {
    private func read(_ text: String) throws -> [Int: String] {
        let folder = try TemporaryFolder()
        return try LabelMap(contentsOfFile: folder.write(Array(text.utf8), to: "labels")).names
    }

    @Test func readsEachForm() throws {
        #expect(try read(#"{"1": "person", "17": "cat"}"#) == [1: "person", 17: "cat"])
        #expect(try read(#" ["a", "b"] "#) == [0: "a", 1: "b"])
        #expect(try read("a\n traffic light \nc\n") == [0: "a", 1: "traffic light", 2: "c"])
        #expect(try read("17 cat\n3: traffic light\r\n5,dog") == [17: "cat", 3: "traffic light", 5: "dog"])
        #expect(try read("\na\n\n b\n\n") == [1: "a", 3: "b"])  // empty lines are classes without a name
        #expect(try read("17 cat\n\n18 dog\n") == [17: "cat", 18: "dog"])
        #expect(try read("3 doors\nwindow") == [0: "3 doors", 1: "window"])
    }

    @Test(arguments: ["", "  \n", "{", #"{"a": "b"}"#, #"{"1": 2}"#, "[1, 2]"])
    func anythingElseIsAnError(text: String) {
        let error = #expect(throws: ApusError.self) { try read(text) }
        #expect(error?.code == .option)
        #expect(error?.remedy != nil)
    }

    /// Names as data sets have them.
    @Test func namesMayHaveSpacesBracketsAndSlashes() throws {
        let names = [
            "N/A", "???", "bow_(weapon)", "Cabinet/shelf", "t-shirt", "tench, Tinca tinca", "Rock & Roll", "猫", "-",
        ]
        #expect(
            try read(names.joined(separator: "\n"))
                == Dictionary(uniqueKeysWithValues: names.enumerated().map { ($0, $1) }))
    }

    @Test(arguments: [
        "root:x:0:0:root:/root:/bin/bash", "names:\n  0: person", "cat\nKEY=value", "int main() {",
        "127.0.0.1\tlocalhost",
        "-----BEGIN OPENSSH PRIVATE KEY-----", "# comment\ncat", "<html>", "cat\n\u{1B}[31mdog", "cat\ndog\u{7}",
        String(repeating: "long ", count: 40), #"["\#(String(repeating: "n", count: 200))"]"#,
    ]) func whatDoesNotLookLikeNamesIsAnError(text: String) {
        let error = #expect(throws: ApusError.self) { try read(text) }
        #expect(error?.code == .option && error?.remedy?.contains("one name per line") == true)
    }

    @Test func aMissingFileIsAnError() {
        let error = #expect(throws: ApusError.self) { try LabelMap(contentsOfFile: "/nonexistent/labels.txt") }
        #expect(error?.cause == "there is no such file")
        let folder = #expect(throws: ApusError.self) { try LabelMap(contentsOfFile: "/tmp") }
        #expect(folder?.cause == "it is a folder")
        let endless = #expect(throws: ApusError.self) { try LabelMap(contentsOfFile: "/dev/zero") }
        #expect(endless?.cause == "it is a character device, not a regular file")
    }

    @Test func cocoHasEightyNamesWithGaps() {
        #expect(LabelMap.coco.names.count == 80)
        #expect(LabelMap.coco[1] == "person" && LabelMap.coco[90] == "toothbrush")
        for gap in [0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91] { #expect(LabelMap.coco[gap] == nil) }
    }
}
