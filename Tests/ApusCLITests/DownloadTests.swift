import Apus
import Foundation
import TestSupport
import Testing

@testable import ApusCLI

/// `apus detect URL` against a server on the loopback.
@Suite(.enabled(if: TestRuntime.isWanted)) struct DownloadTests {
    private func withServer(_ body: @escaping @Sendable (_ address: String) async throws -> Void) async throws {
        try await LoopbackServer.run("http_server.py", serving: "images/baseline.jpg", body)
    }

    @Test func aPictureIsDownloadedThroughARedirect() async throws {
        try await withServer { address in
            let run = try await Command.run(
                "detect", address + "/picture.jpg", address + "/redirect", "--format", "jsonl")
            #expect(run.status == 0)
            #expect(run.errors == "")
            #expect(run.output.split(separator: "\n").count == 2)
            #expect(run.output.contains(#""width":320"#))
        }
    }

    @Test func whatIsNoPictureOrTooLargeIsAnError() async throws {
        try await withServer { address in
            for (path, cause) in [
                ("/missing", "the server returned 404 Not Found"),
                ("/page", #"it begins with the text "<html>no pic""#),
                ("/large", "it has 500003 bytes; the limit is 100000"),
                ("/endless", "it has more bytes than the limit of 100000"),
            ] {
                let run = try await Command.run("detect", address + path, "--max-bytes", "100000")
                #expect(run.status == 1)
                #expect(run.errors.contains(cause))
            }
        }
    }

    #if URLs
        @Test func aPictureThatNeverComesWholeIsGivenUp() async throws {
            try await withServer { address in
                let url = try #require(URL(string: address + "/drip"))
                let error = await #expect(throws: ApusError.self) {
                    try await Downloader.bytes(of: url, limits: Image.Limits(), within: .seconds(2))
                }
                #expect(error?.cause == "it did not complete within 2 seconds")
            }
        }
    #endif

    @Test func whatAURLSaysIsNoPath() throws {
        let names = ["x%2F..%2F..%2Fescaped.jpg", "..", "%2E%2E", "a.jpg", ""]
        let stems = try names.map { ImageInput.url(try #require(URL(string: "http://h/" + $0))).stem }
        #expect(stems.allSatisfy { !$0.contains("/") && $0 != ".." && !$0.isEmpty })
        #expect(stems[3] == "a")
    }

    @Test func aServerThatIsNotThereIsAnError() async throws {
        let run = try await Command.run("detect", "http://127.0.0.1:1/x.jpg")
        #expect(run.status == 1)
        #expect(run.errors.contains("could not download http://127.0.0.1:1/x.jpg"))
        #expect(run.errors.contains("Check the URL and the network."))
    }
}
