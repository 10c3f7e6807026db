internal import Apus
internal import AsyncHTTPClient
internal import Foundation
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOHTTP1
internal import Remedies

/// Downloads images for clients, from allowed hosts only, and never from private networks.
///
/// A client that supplies a URL makes the server send a request from inside its network (SSRF). So a host is resolved once,
/// all its addresses must be public, and the connection goes to one of them, which prevents DNS rebinding. Redirects are
/// checked like the first URL.
struct ImageFetcher: Sendable {
    private let allowed: [AllowedHost]
    private let limit: Int
    private let timeout: Duration
    private let version: String
    private let mayFetch: @Sendable (SocketAddress) -> Bool
    private let places = Places()

    private static let maxRedirections = 3
    private static let maxConcurrent = 16

    /// - Parameters:
    ///   - limit: maximum bytes of an image.
    ///   - timeout: for the whole download.
    ///   - mayFetch: whether an address is allowed.
    init(
        allowed: [AllowedHost], limit: Int, timeout: Duration, version: String,
        mayFetch: @escaping @Sendable (SocketAddress) -> Bool
    ) {
        self.allowed = allowed
        self.limit = limit
        self.timeout = timeout
        self.version = version
        self.mayFetch = mayFetch
    }

    /// The image's bytes.
    ///
    /// - Parameter lease: accounts for the bytes as they arrive.
    func bytes(of address: String, lease: BodyReader.Lease, in task: RequestTask) async throws -> [UInt8] {
        guard !allowed.isEmpty else {
            throw ServerError.refused(
                "URL input is disabled on this server",
                remedy: "Send the image itself, or allow its host by the server's setting \(setting: .urlHost).")
        }
        let target = try Target(address)
        guard places.take() else {
            throw ServerError(
                .fetchesFull, "\(ImageFetcher.maxConcurrent) images are being downloaded already",
                remedy: "Try again after 1 s.", retryAfter: 1)
        }
        defer { places.give() }
        return try await task.within(timeout, orThrow: late) {
            try await fetch(target, lease, redirections: 0)
        }
    }

    private func fetch(
        _ target: Target, _ lease: BodyReader.Lease, redirections: Int
    ) async throws -> [UInt8] {
        guard allowed.contains(where: { $0.admits(target.host, port: target.port, schemePort: target.schemePort) })
        else {
            throw ServerError.refused(
                "This server doesn't download from \(target.shown)",
                remedy: "Allow the host by the server's setting \(setting: .urlHost).")
        }
        let time = TimeAmount(timeout)
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: time, read: time))
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.dnsOverride = [target.host: try await resolve(target)]
        // One client per address, as DNS overrides are part of a client's configuration.
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let download: Download
        do {
            download = try await ask(client, target, lease)
        } catch {
            try? await client.shutdown()
            if error is ServerError || error is CancellationError { throw error }
            // The client's timeout may fire before ours.
            if ImageFetcher.timeouts.contains(where: { $0 == error as? HTTPClientError }) { throw late }
            throw ServerError.notFetched("its host did not respond properly", internalDetail: "\(error)")
        }
        try? await client.shutdown()
        switch download {
        case .body(let bytes): return bytes
        case .moved(let location):
            guard redirections < ImageFetcher.maxRedirections else {
                throw ServerError.notFetched("there are too many redirects")
            }
            return try await fetch(
                try Target(location, from: target), lease, redirections: redirections + 1)
        }
    }

    private static let timeouts: [HTTPClientError] = [.deadlineExceeded, .connectTimeout, .readTimeout]

    private var late: ServerError {
        .notFetched("the download did not complete within \(timeout.text)", .urlTimeout)
    }

    private enum Download {
        case body([UInt8])
        case moved(String)
    }

    private func ask(
        _ client: HTTPClient, _ target: Target, _ lease: BodyReader.Lease
    ) async throws -> Download {
        var request = HTTPClientRequest(url: target.url.absoluteString)
        request.headers.add(name: "User-Agent", value: "apus/\(version)")
        request.headers.add(name: "Accept", value: "image/jpeg, image/png, image/webp")
        let response = try await client.execute(request, timeout: TimeAmount(timeout))
        if [301, 302, 303, 307, 308].contains(response.status.code),
            let location = response.headers.first(name: "Location")
        {
            return .moved(location)
        }
        guard response.status == .ok else {
            throw ServerError.notFetched("its server responded with status \(response.status.code)")
        }
        let tooLarge = ServerError.tooLarge(
            "The image at that URL has more than the \(limit) bytes that are allowed",
            remedy: "Use a smaller image, or raise the server's setting \(setting: .maxBody).")
        let length = response.headers.first(name: "Content-Length").flatMap { Int($0) }
        if let length, length > limit { throw tooLarge }
        var bytes: [UInt8] = []
        for try await part in response.body {
            guard bytes.count + part.readableBytes <= limit else { throw tooLarge }
            try lease.take(part.readableBytes)
            bytes.append(contentsOf: part.readableBytesView)
        }
        return .body(bytes)
    }

    /// One of the host's addresses, all of which must be allowed.
    private func resolve(_ target: Target) async throws -> String {
        let addresses = try await Blocking.run { try ImageFetcher.addresses(of: target.host) }
        guard let first = addresses.first, let text = first.ipAddress else {
            throw ServerError.notFetched("no such host: \(target.host)")
        }
        guard addresses.allSatisfy(mayFetch) else {
            throw ServerError.refused(
                "The host \(target.host) is not on the public Internet, and this server downloads from no other",
                remedy: "Send the image itself.")
        }
        return text
    }

    private static func addresses(of host: String) throws -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next {
            if let raw = entry.pointee.ai_addr {
                switch entry.pointee.ai_family {
                case AF_INET:
                    raw.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                        addresses.append(SocketAddress($0.pointee))
                    }
                case AF_INET6:
                    raw.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                        addresses.append(SocketAddress($0.pointee))
                    }
                default: break
                }
            }
            next = entry.pointee.ai_next
        }
        return addresses
    }

    /// Counts active downloads.
    private final class Places: Sendable {
        private let taken = NIOLockedValueBox(0)

        func take() -> Bool {
            taken.withLockedValue { taken in
                guard taken < ImageFetcher.maxConcurrent else { return false }
                taken += 1
                return true
            }
        }

        func give() { taken.withLockedValue { $0 -= 1 } }
    }

    /// A parsed http or https URL.
    private struct Target {
        var url: URL
        var host: String
        /// Nil for the scheme's default.
        var port: Int?
        var schemePort: Int

        var shown: String { host.prefix(100) + (port.map { ":\($0)" } ?? "") }

        init(_ text: String, from base: Target? = nil) throws(ServerError) {
            let remedy: Remedy = "Use the form https://example.com/street.jpg."
            guard text.utf8.count <= 2048, let url = URL(string: text, relativeTo: base?.url)?.absoluteURL,
                var parts = URLComponents(url: url, resolvingAgainstBaseURL: true),
                let scheme = parts.scheme?.lowercased(), let host = parts.host?.lowercased(), !host.isEmpty
            else { throw .badRequest("\"url\" is not a valid URL", remedy: remedy) }
            guard ["http", "https"].contains(scheme) else {
                throw .badRequest(
                    "The URL's scheme is \(scheme.prefix(20)); http and https are supported", remedy: remedy)
            }
            guard parts.user == nil, parts.password == nil else {
                throw .badRequest("The URL contains a user name or a password", remedy: remedy)
            }
            guard host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !"[]%:".utf8.contains($0) }) else {
                throw .badRequest("The URL's host is not supported", remedy: remedy)
            }
            // The client looks the host up in its DNS overrides by this exact string.
            parts.host = host
            parts.fragment = nil
            guard let url = parts.url else {
                throw .badRequest("\"url\" is not a valid URL", remedy: remedy)
            }
            self.url = url
            self.host = host
            port = parts.port
            schemePort = scheme == "http" ? 80 : 443
        }
    }
}

extension ServerError {
    fileprivate static func refused(_ detail: String, remedy: Remedy) -> ServerError {
        ServerError(.urlRefused, detail, remedy: remedy)
    }

    fileprivate static func notFetched(
        _ cause: String, _ kind: ErrorKind = .urlFailed, internalDetail: String? = nil
    ) -> ServerError {
        ServerError(
            kind, "Could not download the image: \(cause)",
            remedy: "Check that the URL works, or send the image itself.",
            internalDetail: internalDetail.map { "\(cause): \($0)" })
    }
}
