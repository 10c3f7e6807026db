package import Hummingbird

/// What goes with a request from middleware to route.
package struct ServerContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// What the log and the metrics record of the request.
    let record = RequestRecord()

    /// Nil where a request has no connection, as in tests.
    let client: ClientWatch?

    package init(source: Source) {
        coreContext = .init(source: source)
        client = ClientWatch.of(source.channel)
    }

    /// Does a request's work in a task of its own, which is cancelled when the client goes away.
    func run<Value: Sendable>(
        _ work: @escaping @Sendable (RequestTask) async throws -> Value
    ) async throws -> Value {
        let task = RequestTask()
        let stop = client?.whenGone { task.cancel() }
        defer { stop?() }
        return try await task.run { try await work(task) }
    }
}
