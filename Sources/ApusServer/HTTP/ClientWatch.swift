#if Server
    internal import Hummingbird
    internal import HummingbirdCore
    internal import NIOConcurrencyHelpers
    internal import NIOCore
    internal import NIOHTTPTypes

    /// Notices that a client goes away, also while its request is being worked on, and lets the connection live otherwise.
    final class ClientWatch: ChannelInboundHandler, RemovableChannelHandler, Sendable {
        typealias InboundIn = HTTPRequestPart
        typealias InboundOut = HTTPRequestPart

        private struct State {
            var isGone = false
            var next = 0
            var callbacks: [Int: @Sendable () -> Void] = [:]
        }

        /// By channel, as a request's context knows no more of its connection.
        private static let all = NIOLockedValueBox<[ObjectIdentifier: ClientWatch]>([:])

        private let state = NIOLockedValueBox(State())

        static func of(_ channel: any Channel) -> ClientWatch? {
            all.withLockedValue { $0[ObjectIdentifier(channel)] }
        }

        /// Calls back once if the client goes, at once if it has gone. Returns what stops that.
        func whenGone(_ callback: @escaping @Sendable () -> Void) -> @Sendable () -> Void {
            let number: Int? = state.withLockedValue { state in
                if state.isGone { return nil }
                state.next += 1
                state.callbacks[state.next] = callback
                return state.next
            }
            guard let number else {
                callback()
                return {}
            }
            return { [state] in state.withLockedValue { $0.callbacks[number] = nil } }
        }

        private func gone() {
            let callbacks = state.withLockedValue { state in
                state.isGone = true
                defer { state.callbacks = [:] }
                return state.callbacks.values
            }
            for callback in callbacks { callback() }
        }

        // MARK: ChannelInboundHandler

        func handlerAdded(context: ChannelHandlerContext) {
            ClientWatch.all.withLockedValue { $0[ObjectIdentifier(context.channel)] = self }
        }

        func handlerRemoved(context: ChannelHandlerContext) {
            _ = ClientWatch.all.withLockedValue { $0.removeValue(forKey: ObjectIdentifier(context.channel)) }
            gone()
        }

        func channelInactive(context: ChannelHandlerContext) {
            gone()
            context.fireChannelInactive()
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .some(.inputClosed) = event as? ChannelEvent { gone() }
            context.fireUserInboundEventTriggered(event)
        }
    }

    extension ServerContext {
        /// Does a request's work; if the client goes away meanwhile, the work's task is cancelled.
        func endingWithTheClient<Value: Sendable>(
            _ work: @escaping @Sendable () async throws -> Value
        ) async throws -> Value {
            let task = Task { try await work() }
            let stop = client?.whenGone { task.cancel() }
            defer { stop?() }
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        }
    }
#endif
