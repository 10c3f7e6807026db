package import Hummingbird

/// The context of a request, from middleware to route.
package struct ServerContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The facts that the log and the metrics record.
    let record = RequestRecord()

    /// Nil for a request without a connection, as in tests.
    let client: ClientWatch?

    package init(source: Source) {
        coreContext = .init(source: source)
        client = ClientWatch.of(source.channel)
    }

    /// Does a request's work in a new task, which is cancelled when the client disconnects.
    func run<Value: Sendable>(
        _ work: @escaping @Sendable (RequestTask) async throws -> Value
    ) async throws -> Value {
        let task = RequestTask()
        let stop = client?.whenGone { task.cancel() }
        defer { stop?() }
        return try await task.run { try await work(task) }
    }
}
