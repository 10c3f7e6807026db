#if URLs
    package import AsyncHTTPClient
    internal import NIOCore

    extension HTTPClient {
        /// The client of this process, which follows redirects and gives up on silent servers.
        package static let apus: HTTPClient = {
            var configuration = HTTPClient.Configuration(
                redirectConfiguration: .follow(max: 5, allowCycles: false),
                timeout: .init(connect: .seconds(10), read: .seconds(30)))
            // A server that refuses is an answer; asking again until the deadline only makes people wait.
            configuration.connectionPool.retryConnectionEstablishment = false
            return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        }()
    }
#endif
