package import Apus
internal import Foundation
internal import Hashing
internal import ModelTools
internal import ONNX
internal import Remedies

#if URLs
    internal import AsyncHTTPClient
    internal import NIOCore
    internal import NIOHTTP1
#endif

/// Downloads a published checkpoint into the cache, resuming an earlier download.
package struct CheckpointDownload: Sendable {
    private let checkpoint: PublishedCheckpoint
    private let address: String
    private let folder: String
    private let observer: WorkflowObserver

    package init(
        checkpoint: PublishedCheckpoint, address: String, folder: String = ModelStore.checkpoints,
        observer: @escaping WorkflowObserver = { _ in }
    ) {
        self.checkpoint = checkpoint
        self.address = address
        self.folder = folder
        self.observer = observer
    }

    /// The largest published checkpoint is 243 MB.
    private static let maxBytes = 2_000_000_000
    private static let tries = 3

    private var source: String {
        (address.hasSuffix("/") ? String(address.dropLast()) : address) + "/" + checkpoint.fileName
    }
    private var target: String { folder + "/" + checkpoint.fileName }

    private func failure(_ cause: String, _ remedy: Remedy) -> ApusError {
        ApusError(.checkpoint, doing: "download \(source)", cause: cause, remedy: remedy)
    }

    /// The path of the complete, verified file.
    package func run() async throws -> String {
        try Folder.make(folder)
        let partial = target + ".partial"
        if FileManager.default.fileExists(atPath: target) {
            if try isRight(target) { return target }
            observer(.warning("\(target) does not have the published SHA-256; downloading it again"))
            try? FileManager.default.removeItem(atPath: target)
        }
        #if URLs
            var wasResumed = FileManager.default.fileExists(atPath: partial)
            try await fetch(into: partial)
            if try !isRight(partial), wasResumed {
                // An earlier partial download may be of another file.
                wasResumed = false
                observer(.warning("the resumed download failed its checksum; restarting"))
                try? FileManager.default.removeItem(atPath: partial)
                try await fetch(into: partial)
            }
            guard try isRight(partial) else {
                let digest = try digest(partial)
                try? FileManager.default.removeItem(atPath: partial)
                throw failure(
                    "its SHA-256 begins with \(digest.prefix(8)) instead of \(checkpoint.digest), so it was removed",
                    "Try again, or use another mirror: \(setting: .mirror)")
            }
            guard rename(partial, target) == 0 else {
                throw failure(String(cString: strerror(errno)), "Make sure that you may write to \(folder).")
            }
            return target
        #else
            throw failure(
                "this command was built without support for URLs",
                "Build it with `make build`, or download the file to \(target) by other means.")
        #endif
    }

    private func digest(_ path: String) throws -> String {
        try ModelToolsError.wrapping(doing: "read \(path)", .checkpoint) { SHA256.digest(try Bytes(mapping: path)) }
    }

    private func isRight(_ path: String) throws -> Bool { try digest(path).hasPrefix(checkpoint.digest) }

    #if URLs
        /// Retries a few times, resuming each time.
        private func fetch(into partial: String) async throws {
            for number in 1...CheckpointDownload.tries {
                do {
                    try await transfer(into: partial)
                    return
                } catch let error as ApusError {
                    throw error
                } catch {
                    let have = CheckpointDownload.size(partial)
                    guard number < CheckpointDownload.tries, have > 0 else {
                        throw failure(
                            "\(error)",
                            have > 0
                                ? "\(Megabytes.text(have)) are already downloaded: run this again to resume."
                                : "Check the network. If this machine is offline, copy the file to \(target).")
                    }
                    observer(.warning("the download was interrupted at \(Megabytes.text(have)) (\(error)); resuming"))
                }
            }
        }

        private static func size(_ path: String) -> Int {
            ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int) ?? 0
        }

        private func transfer(into partial: String) async throws {
            let have = CheckpointDownload.size(partial)
            var request = HTTPClientRequest(url: source)
            request.headers.add(name: "User-Agent", value: "apus/\(Apus.version)")
            if have > 0 { request.headers.add(name: "Range", value: "bytes=\(have)-") }
            let response = try await HTTPClient.apus.execute(request, timeout: .hours(24))
            let start: Int
            switch response.status {
            case .ok: start = 0
            case .partialContent:
                guard let range = response.headers.first(name: "Content-Range"), range.hasPrefix("bytes \(have)-")
                else {
                    throw failure(
                        "the server sent a different range than requested", "Use another mirror: \(setting: .mirror)")
                }
                start = have
            case .rangeNotSatisfiable: return  // already complete; its digest is checked
            default:
                throw failure(
                    "the server responded with \(response.status)",
                    "Check the address, or use another mirror: \(setting: .mirror)")
            }
            let length = response.headers.first(name: "Content-Length").flatMap { Int($0) }
            guard start + (length ?? 0) <= CheckpointDownload.maxBytes else {
                throw failure("it is larger than any published checkpoint", "Check the address: \(setting: .mirror).")
            }
            let descriptor = open(partial, O_WRONLY | O_CREAT | O_CLOEXEC | (start == 0 ? O_TRUNC : 0), 0o644)
            guard descriptor >= 0 else {
                throw failure("\(partial): \(String(cString: strerror(errno)))", "Make sure that you may write there.")
            }
            let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            try file.seekToEnd()
            let step = "downloading"
            defer { observer(.finished(step: step)) }
            var done = start
            try await eachPart(of: response.body) { part in
                done += part.readableBytes
                guard done <= CheckpointDownload.maxBytes else {
                    throw failure(
                        "it is larger than any published checkpoint", "Check the address: \(setting: .mirror).")
                }
                do {
                    try file.write(contentsOf: Data(part.readableBytesView))
                } catch {
                    throw failure("\(partial): \(error.localizedDescription)", "Make sure that the disk has space.")
                }
                observer(.progress(step: step, done: done, total: start + (length ?? 0)))
            }
            if let length, done != start + length { throw Broken(cause: "the connection was closed") }
        }

        private struct Broken: Error, CustomStringConvertible {
            var cause: String
            var description: String { cause }
        }

        /// Times out if no data arrives.
        private func eachPart(
            of body: HTTPClientResponse.Body, _ work: (ByteBuffer) throws -> Void
        ) async throws {
            var iterator = body.makeAsyncIterator()
            while true {
                let part: ByteBuffer?
                do {
                    part = try await iterator.next()
                } catch let error as HTTPClientError where error == .readTimeout {
                    throw Broken(cause: "no data arrived for 30 seconds")
                }
                guard let part else { return }
                try work(part)
            }
        }
    #endif
}
