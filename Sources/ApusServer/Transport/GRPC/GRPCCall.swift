internal import GRPCCore

/// The context of a call, apart from its message.
struct GRPCCall: Sendable {
    /// The current call; set by `GRPCCallInterceptor`.
    @TaskLocal static var current: GRPCCall?

    let record = RequestRecord()
    /// The client's timeout, from the start of the call; nil if it sets none.
    let time: Duration?
    let begin = ContinuousClock.now

    init(_ metadata: Metadata) {
        time = GRPCDeadline.time(metadata)
        record.update {
            $0.requestID = RecordingMiddleware.id(GRPCCall.first("x-request-id", metadata))
            $0.trace = GRPCCall.first("traceparent", metadata).flatMap { TraceContext($0) }?.child()
        }
    }

    /// Does the call's work within the client's timeout.
    func withinDeadline<Value>(
        _ task: RequestTask, _ work: () async throws -> Value
    ) async throws -> Value {
        guard let time else { return try await work() }
        let left = max(.zero, time - (ContinuousClock.now - begin))
        return try await task.within(left, orThrow: .deadlineExceeded(time), work)
    }

    static func first(_ name: String, _ metadata: Metadata) -> String? { Array(metadata[stringValues: name]).first }

    /// The response metadata.
    func add(to metadata: inout Metadata) {
        let facts = record.current
        metadata.replaceOrAddString(facts.requestID, forKey: "x-request-id")
        if let trace = facts.trace { metadata.replaceOrAddString(trace.header, forKey: "traceparent") }
    }
}

extension ServerError {
    static func deadlineExceeded(_ time: Duration) -> ServerError {
        ServerError(.timeout, "The request did not complete within the \(time.text) of its grpc-timeout")
    }
}

extension RPCError {
    /// The gRPC form of errors.
    init(_ error: ServerError) {
        self.init(code: error.kind.grpcCode, message: GRPCMessage.short(error.text))
    }
}
