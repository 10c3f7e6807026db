import Apus
import Foundation

#if URLs
    import AsyncHTTPClient
    import NIOCore
    import NIOHTTP1
#endif

/// Fetches pictures by http and https.
enum Downloader {
    static let seconds: Int64 = 30

    #if URLs
        /// The body of an answer with status 200, no longer than the limit.
        static func bytes(of url: URL, limits: Image.Limits) async throws -> [UInt8] {
            func failure(_ cause: String, _ remedy: String) -> ApusError {
                ApusError(.image, doing: "download \(url.absoluteString)", cause: cause, remedy: remedy)
            }
            let tooLarge = "Use a smaller file, or raise the limit (--max-bytes)."
            var request = HTTPClientRequest(url: url.absoluteString)
            request.headers.add(name: "User-Agent", value: "apus/\(ApusCommand.version)")
            request.headers.add(name: "Accept", value: "image/jpeg, image/png, image/webp, */*;q=0.1")
            do {
                let response = try await HTTPClient.shared.execute(request, timeout: .seconds(seconds))
                guard response.status == .ok else {
                    throw failure("the server answered \(response.status)", "Check the URL.")
                }
                if let length = response.headers.first(name: "Content-Length").flatMap({ Int($0) }),
                    length > limits.bytes
                {
                    throw failure("it has \(length) bytes; the limit is \(limits.bytes)", tooLarge)
                }
                return Array(buffer: try await response.body.collect(upTo: limits.bytes))
            } catch is NIOTooManyBytesError {
                throw failure("it has more bytes than the limit of \(limits.bytes)", tooLarge)
            } catch let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout {
                throw failure(
                    "there was no whole answer within \(seconds) seconds", "Try again, or download it by other means.")
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
                cause: "this command was built without support for URLs",
                remedy: "Build it with it: make build. Or download the picture and name the file.")
        }
    #endif
}
