import Apus
import ApusWorkflows
import CommandSupport
import Foundation

#if URLs
    import AsyncHTTPClient
    import NIOCore
    import NIOHTTP1
#endif

/// Downloads images over HTTP and HTTPS.
enum Downloader {
    /// The time limit for the whole download.
    static let deadline = Duration.seconds(30)

    #if URLs
        /// The body of a response with status 200, up to the limit.
        static func bytes(
            of url: URL, limits: Image.Limits, within deadline: Duration = deadline
        ) async throws -> [UInt8] {
            try await withThrowingTaskGroup(of: [UInt8].self) { group in
                group.addTask { try await download(url, limits: limits) }
                group.addTask {
                    try await Task.sleep(for: deadline)
                    throw ApusError(
                        .image, doing: "download \(url.absoluteString)",
                        cause: "it did not complete within \(deadline.components.seconds) seconds",
                        remedy: "Try again, or download it some other way and name the file.")
                }
                defer { group.cancelAll() }
                return try await group.next() ?? []
            }
        }

        private static func download(_ url: URL, limits: Image.Limits) async throws -> [UInt8] {
            func failure(_ cause: String, _ remedy: String) -> ApusError {
                ApusError(.image, doing: "download \(url.absoluteString)", cause: cause, remedy: remedy)
            }
            let tooLarge = "Use a smaller file, or raise the limit (--max-bytes)."
            var request = HTTPClientRequest(url: url.absoluteString)
            request.headers.add(name: "User-Agent", value: "apus/\(Apus.version)")
            request.headers.add(name: "Accept", value: "image/jpeg, image/png, image/webp, */*;q=0.1")
            do {
                // `bytes` enforces the deadline.
                let response = try await HTTPClient.apus.execute(request, timeout: .hours(1))
                guard response.status == .ok else {
                    throw failure("the server returned \(response.status)", "Check the URL.")
                }
                if let length = response.headers.first(name: "Content-Length").flatMap({ Int($0) }),
                    length > limits.bytes
                {
                    throw failure("it has \(length) bytes; the limit is \(limits.bytes)", tooLarge)
                }
                return Array(buffer: try await response.body.collect(upTo: limits.bytes))
            } catch is NIOTooManyBytesError {
                throw failure("it has more bytes than the limit of \(limits.bytes)", tooLarge)
            } catch let error as ApusError {
                throw error
            } catch {
                throw failure("\(error)", "Check the URL and the network.")
            }
        }
    #else
        static func bytes(of url: URL, limits: Image.Limits) async throws -> [UInt8] {
            throw ApusError(
                .image, doing: "download \(url.absoluteString)",
                cause: "this build does not support URLs",
                remedy: "Build with URL support (make build), or download the image and name the file.")
        }
    #endif
}
