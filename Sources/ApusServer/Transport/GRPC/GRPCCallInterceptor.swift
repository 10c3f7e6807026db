internal import GRPCCore
internal import HTTPTypes

/// Provides handlers with the context of a call, and rejects clients without a valid key before reading their message.
struct GRPCCallInterceptor: ServerInterceptor {
    let keys: APIKeys
    let log: RequestLog

    /// Health checks need no key.
    private static let open: Set = ["ServerLive", "ServerReady"]

    func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>, context: GRPCCore.ServerContext,
        next:
            @Sendable (StreamingServerRequest<Input>, GRPCCore.ServerContext) async throws ->
            StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        let call = GRPCCall(request.metadata)
        if keys.areWanted, !GRPCCallInterceptor.open.contains(context.descriptor.method) {
            let key = APIKeys.presented(
                authorization: GRPCCall.first("authorization", request.metadata),
                apiKey: GRPCCall.first("x-api-key", request.metadata))
            guard let key, keys.contains(key) else {
                let error = ServerError.unauthorized
                refused(call, context, error)
                var metadata = Metadata()
                call.add(to: &metadata)
                var rejection = RPCError(error)
                rejection.metadata = metadata
                throw rejection
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
            // A message that can't be decoded never reaches a handler, which would log it.
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
