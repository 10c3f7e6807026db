#if URLs
    package import AsyncHTTPClient
    internal import NIOCore

    extension HTTPClient {
        /// This process's client, which follows redirects and times out on silent servers.
        package static let apus: HTTPClient = {
            var configuration = HTTPClient.Configuration(
                redirectConfiguration: .follow(max: 5, allowCycles: false),
                timeout: .init(connect: .seconds(10), read: .seconds(30)))
            // A refused connection is final; retrying until the deadline only makes users wait.
            configuration.connectionPool.retryConnectionEstablishment = false
            return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        }()
    }
#endif
