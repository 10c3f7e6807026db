internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOHTTPTypes

/// Detects that a client disconnects, also while its request is being processed; closes a connection on which no request head
/// arrives in time, even one sent byte by byte, or whose client does not read its response.
final class ClientWatch: ChannelDuplexHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private struct State {
        var isGone = false
        var channel: (any Channel)?
        /// Closes the connection unless a head arrives first.
        var head: Scheduled<Void>?
        /// Closes the connection unless the client reads part of a response first.
        var taking: Scheduled<Void>?
        /// Heads whose response has not been fully sent.
        var requests = 0
        /// Responses that are written in part but not fully sent.
        var responses = 0
        /// Whether the client waits for 100 Continue before sending its body.
        var waitsForContinue = false
        var next = 0
        var callbacks: [Int: @Sendable () -> Void] = [:]
    }

    /// By channel, because a request's context has only that.
    private static let all = NIOLockedValueBox<[ObjectIdentifier: ClientWatch]>([:])

    private let state = NIOLockedValueBox(State())
    private let headTimeout: TimeAmount

    /// - Parameter headTimeout: from the start of the connection or the last response to the complete head of a request.
    init(headTimeout: TimeAmount) { self.headTimeout = headTimeout }

    static func of(_ channel: any Channel) -> ClientWatch? {
        all.withLockedValue { $0[ObjectIdentifier(channel)] }
    }

    /// Calls back once when the client disconnects, immediately if it already has. Returns a closure that cancels this.
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
        let channel = context.channel
        state.withLockedValue { $0.channel = channel }
        awaitHead(channel)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        _ = ClientWatch.all.withLockedValue { $0.removeValue(forKey: ObjectIdentifier(context.channel)) }
        state.withLockedValue {
            $0.head?.cancel()
            $0.taking?.cancel()
            $0.channel = nil
        }
        gone()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data) {
            let expects = head.headerFields[.expect]?.lowercased() == "100-continue"
            state.withLockedValue {
                $0.requests += 1
                $0.waitsForContinue = expects
                $0.head?.cancel()
                $0.head = nil
            }
        }
        context.fireChannelRead(data)
    }

    /// Sends 100 Continue to a client that waits for it: curl waits a second if the body is above a megabyte.
    func wantsBody() {
        guard let channel = state.withLockedValue({ $0.waitsForContinue ? $0.channel : nil }) else { return }
        channel.eventLoop.execute {
            let isDue = self.state.withLockedValue { state in
                defer { state.waitsForContinue = false }
                // Within a response, it would be parsed as part of it.
                return state.waitsForContinue && state.responses == 0
            }
            guard isDue, let context = try? channel.pipeline.syncOperations.context(handler: self) else { return }
            context.writeAndFlush(self.wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let channel = context.channel
        switch unwrapOutboundIn(data) {
        case .head(let head) where head.status.kind != .informational:
            state.withLockedValue {
                $0.responses += 1
                $0.waitsForContinue = false
            }
            watchResponses(channel, left: .max)
            context.write(data, promise: promise)
        case .end:
            let written = promise ?? context.eventLoop.makePromise()
            written.futureResult.whenComplete { _ in
                let isIdle = self.state.withLockedValue { state in
                    state.requests -= 1
                    state.responses -= 1
                    if state.responses <= 0 { state.taking?.cancel() }
                    return state.requests <= 0
                }
                if isIdle { self.awaitHead(channel) }
            }
            context.write(data, promise: written)
        default: context.write(data, promise: promise)
        }
    }

    /// Closes the connection if its client has read none of the pending responses.
    private func watchResponses(_ channel: any Channel, left: Int) {
        let taking = channel.eventLoop.scheduleTask(in: headTimeout) {
            let now = (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
            if now > 0, now >= left {
                channel.close(promise: nil)
            } else {
                self.watchResponses(channel, left: now > 0 ? now : .max)
            }
        }
        state.withLockedValue {
            $0.taking?.cancel()
            $0.taking = taking
        }
    }

    private func awaitHead(_ channel: any Channel) {
        let closing = channel.eventLoop.scheduleTask(in: headTimeout) { channel.close(promise: nil) }
        state.withLockedValue {
            $0.head?.cancel()
            $0.head = closing
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
