internal import GRPCCore

/// What a call brought with it besides its message.
struct GRPCCall: Sendable {
    /// Of the call in progress; set by `GRPCCallInterceptor`.
    @TaskLocal static var current: GRPCCall?

    let record = RequestRecord()
    /// How long the client waits, from the call's begin; nil if it doesn't say.
    let time: Duration?
    let begin = ContinuousClock.now

    init(_ metadata: Metadata) {
        time = GRPCDeadline.time(metadata)
        record.update {
            $0.requestID = RecordingMiddleware.id(GRPCCall.first("x-request-id", metadata))
            $0.trace = GRPCCall.first("traceparent", metadata).flatMap { TraceContext($0) }?.child()
        }
    }

    /// Does the call's work within the time that its client waits.
    func withinDeadline<Value>(
        _ task: RequestTask, _ work: () async throws -> Value
    ) async throws -> Value {
        guard let time else { return try await work() }
        let left = max(.zero, time - (ContinuousClock.now - begin))
        return try await task.within(left, orThrow: .deadlineExceeded(time), work)
    }

    static func first(_ name: String, _ metadata: Metadata) -> String? { Array(metadata[stringValues: name]).first }

    /// What the response carries back.
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
    /// The form that errors have in gRPC.
    init(_ error: ServerError) {
        self.init(code: error.kind.grpcCode, message: GRPCMessage.short(error.text))
    }
}
