import Files
import Foundation
import TestSupport
import Testing

@Suite struct RegularFileTests {
    private func error(_ path: String) -> FileError? {
        #expect(throws: FileError.self) { _ = try RegularFile(path) }
    }

    /// Opening a pipe without a writer would block.
    @Test func whatIsNotARegularFileIsNamed() throws {
        let folder = try TemporaryFolder()
        #expect(mkfifo(folder.path("pipe"), 0o600) == 0)
        try FileManager.default.createSymbolicLink(atPath: folder.path("link"), withDestinationPath: "pipe")
        #expect(error(folder.path("pipe"))?.cause == "it is a pipe, not a regular file")
        #expect(error(folder.path("link"))?.cause == "it is a pipe, not a regular file")
        #expect(error("/dev/zero")?.cause == "it is a character device, not a regular file")
        #expect(error(folder.url.path)?.cause == "it is a folder")
        #expect(error(folder.path("nothing"))?.cause == "there is no such file")
        try FileManager.default.createSymbolicLink(atPath: folder.path("circle"), withDestinationPath: "circle")
        #expect(error(folder.path("circle"))?.cause == "it is a symbolic link that points to itself")
    }

    @Test func aSocketIsNamed() throws {
        // The path of a socket has at most 107 bytes.
        let path = "/tmp/apus-\(UUID().uuidString)"
        defer { unlink(path) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        #expect(error(path)?.cause == "it is a socket, not a regular file")
    }

    @Test func aBoundedFileIsReadToItsLimit() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write([1, 2, 3], to: "file")
        #expect(try BoundedFile.bytes(atPath: path, limit: 3) == [1, 2, 3])
        #expect(try BoundedFile.bytes(atPath: path, limit: 2) == nil)
        #expect(throws: FileError.self) { try BoundedFile.bytes(atPath: "/dev/zero", limit: 10) }
        #expect(try BoundedFile.bytes(atPath: folder.write([], to: "empty"), limit: 0) == [])
    }

    @Test func aFileIsReadInPieces() throws {
        let folder = try TemporaryFolder()
        let content = (0..<3_000_001).map { UInt8(truncatingIfNeeded: $0) }
        let path = try folder.write(content, to: "file")
        var read: [UInt8] = []
        let file = try RegularFile(path)
        #expect(file.size == content.count)
        try file.forEachPiece(path) { read += $0 }
        #expect(read == content)
    }
}
