#if Server
    internal import HTTPTypes
    internal import Hummingbird
    internal import HummingbirdCore
    internal import NIOConcurrencyHelpers
    internal import NIOCore
    internal import NIOHTTPTypes

    /// Notices that a client goes away, also while its request is being worked on, and lets the connection live otherwise; ends
    /// one on which no request begins, also where a head comes a byte at a time, and one that takes nothing of its answer.
    final class ClientWatch: ChannelDuplexHandler, RemovableChannelHandler, Sendable {
        typealias InboundIn = HTTPRequestPart
        typealias InboundOut = HTTPRequestPart
        typealias OutboundIn = HTTPResponsePart
        typealias OutboundOut = HTTPResponsePart

        private struct State {
            var isGone = false
            /// Closes the connection unless a head comes before.
            var closing: Scheduled<Void>?
            /// Heads without an answer.
            var requests = 0
            var next = 0
            var callbacks: [Int: @Sendable () -> Void] = [:]
        }

        /// By channel, as a request's context knows no more of its connection.
        private static let all = NIOLockedValueBox<[ObjectIdentifier: ClientWatch]>([:])

        private let state = NIOLockedValueBox(State())
        private let headTimeout: TimeAmount

        /// - Parameter headTimeout: from the connection's begin or the last answer until a request's head has come whole.
        init(headTimeout: TimeAmount) { self.headTimeout = headTimeout }

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
            awaitHead(context.channel)
        }

        func handlerRemoved(context: ChannelHandlerContext) {
            _ = ClientWatch.all.withLockedValue { $0.removeValue(forKey: ObjectIdentifier(context.channel)) }
            state.withLockedValue { $0.closing?.cancel() }
            gone()
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if case .head(let head) = unwrapInboundIn(data) {
                if head.headerFields[.expect]?.lowercased() == "100-continue" {
                    // curl waits a second for it, with any body above a megabyte.
                    context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
                }
                state.withLockedValue {
                    $0.requests += 1
                    $0.closing?.cancel()
                    $0.closing = nil
                }
            }
            context.fireChannelRead(data)
        }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
            let channel = context.channel
            watchAnswer(channel, left: .max)
            let written = promise ?? context.eventLoop.makePromise()
            written.futureResult.whenComplete { _ in
                let isIdle = self.state.withLockedValue { state in
                    state.requests -= 1
                    return state.requests <= 0
                }
                if isIdle { self.awaitHead(channel) }
            }
            context.write(data, promise: written)
        }

        /// Closes the connection if its client has taken nothing of what is left of an answer.
        private func watchAnswer(_ channel: any Channel, left: Int) {
            let closing = channel.eventLoop.scheduleTask(in: headTimeout) {
                let now = (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
                if now >= left {
                    channel.close(promise: nil)
                } else {
                    self.watchAnswer(channel, left: now)
                }
            }
            state.withLockedValue {
                $0.closing?.cancel()
                $0.closing = closing
            }
        }

        private func awaitHead(_ channel: any Channel) {
            let closing = channel.eventLoop.scheduleTask(in: headTimeout) { channel.close(promise: nil) }
            state.withLockedValue {
                $0.closing?.cancel()
                $0.closing = closing
            }
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
