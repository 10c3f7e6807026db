internal import GRPCCore
internal import HTTPTypes

/// What a call brought with it besides its message.
struct GRPCCall: Sendable {
    /// Of the call that is being answered; set by `GRPCCallInterceptor`.
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

    static func first(_ name: String, _ metadata: Metadata) -> String? { Array(metadata[stringValues: name]).first }

    /// What the answer brings back.
    func add(to metadata: inout Metadata) {
        let facts = record.current
        metadata.replaceOrAddString(facts.requestID, forKey: "x-request-id")
        if let trace = facts.trace { metadata.replaceOrAddString(trace.header, forKey: "traceparent") }
    }
}

/// Gives handlers what a call brought with it, and lets only clients through that show a key, before their message is read.
struct GRPCCallInterceptor: ServerInterceptor {
    let keys: APIKeys
    let log: RequestLog

    /// Whoever watches a server's health has no key.
    private static let open: Set = ["ServerLive", "ServerReady"]

    func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>, context: GRPCCore.ServerContext,
        next:
            @Sendable (StreamingServerRequest<Input>, GRPCCore.ServerContext) async throws ->
            StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        let call = GRPCCall(request.metadata)
        if keys.areWanted, !GRPCCallInterceptor.open.contains(context.descriptor.method) {
            let bearer = GRPCCall.first("authorization", request.metadata).flatMap { value in
                value.lowercased().hasPrefix("bearer ") ? String(value.dropFirst(7)) : nil
            }
            guard let key = bearer ?? GRPCCall.first("x-api-key", request.metadata), keys.contains(key) else {
                let error = ServerError.unauthorized
                refused(call, context, error)
                var metadata = Metadata()
                call.add(to: &metadata)
                throw RPCError(code: .unauthenticated, message: error.text, metadata: metadata)
            }
        }
        do {
            var response = try await GRPCCall.$current.withValue(call) { try await next(request, context) }
            switch response.accepted {
            case .success(var contents):
                call.add(to: &contents.metadata)
                response.accepted = .success(contents)
            case .failure(var error):
                call.add(to: &error.metadata)
                response.accepted = .failure(error)
            }
            return response
        } catch var error as RPCError {
            // A message that cannot be read never comes to who would say so.
            if !call.record.current.isLogged {
                refused(
                    call, context,
                    error.code == .resourceExhausted
                        ? .tooLarge(error.message, remedy: nil) : .badRequest(error.message))
            }
            call.add(to: &error.metadata)
            throw error
        }
    }

    private func refused(_ call: GRPCCall, _ context: GRPCCore.ServerContext, _ error: ServerError) {
        call.record.update { $0.error = error }
        log.began()
        let name = "\(context.descriptor)"
        log.ended(
            "gRPC \(name)", route: name, method: "gRPC", status: error.status.code, duration: .zero,
            call.record.current)
    }
}
