internal import GRPCCore
internal import GRPCProtobuf
internal import SwiftProtobuf

/// The service, with messages that hold lists measured before they are decoded: two bytes of one can become dozens.
struct BoundedGRPCService: RegistrableRPCService {
    let service: GRPCService
    /// Of a decoded message.
    let limit: Int

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        service.registerMethods(with: &router)
        // In place of those that were just registered.
        typealias Method = Inference_GRPCInferenceService.Method
        router.registerHandler(
            forMethod: Method.ModelInfer.descriptor,
            deserializer: BoundedDeserializer(
                limit: limit, remedy: "Send large tensors as raw_input_contents", InferMessageSize.decoded),
            serializer: ProtobufSerializer<Inference_ModelInferResponse>(),
            handler: { try await service.modelInfer(request: $0, context: $1) })
        let small = "Send no parameters, which are not used"
        router.registerHandler(
            forMethod: Method.RepositoryModelLoad.descriptor,
            deserializer: BoundedDeserializer(limit: 65536, remedy: small, \.count),
            serializer: ProtobufSerializer<Inference_RepositoryModelLoadResponse>(),
            handler: { try await service.repositoryModelLoad(request: $0, context: $1) })
        router.registerHandler(
            forMethod: Method.RepositoryModelUnload.descriptor,
            deserializer: BoundedDeserializer(limit: 65536, remedy: small, \.count),
            serializer: ProtobufSerializer<Inference_RepositoryModelUnloadResponse>(),
            handler: { try await service.repositoryModelUnload(request: $0, context: $1) })
    }
}

private struct BoundedDeserializer<Message: SwiftProtobuf.Message>: MessageDeserializer {
    private let limit: Int
    private let remedy: String
    private let size: @Sendable (UnsafeRawBufferPointer) -> Int

    init(limit: Int, remedy: String, _ size: @escaping @Sendable (UnsafeRawBufferPointer) -> Int) {
        self.limit = limit
        self.remedy = remedy
        self.size = size
    }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> Message {
        let taken = bytes.withUnsafeBytes { size($0) }
        guard taken <= limit else {
            throw RPCError(
                code: .resourceExhausted,
                message: "The message would take \(taken) bytes; \(limit) are allowed. \(remedy).")
        }
        return try ProtobufDeserializer<Message>().deserialize(bytes)
    }
}

/// What a ModelInferRequest takes in memory.
package enum InferMessageSize {
    /// Of an element of a list besides its own bytes.
    private static let element = 64

    /// About as many bytes as the message takes once decoded; where it breaks off, decoding fails as well.
    package static func decoded(_ message: UnsafeRawBufferPointer) -> Int {
        fields(of: message) { field, content in
            switch field {
            case 5: fields(of: content, input)
            case 7: content.count + element
            default: 8 * content.count + element
            }
        }
    }

    /// InferInputTensor
    private static func input(_ field: Int, _ content: UnsafeRawBufferPointer) -> Int {
        field == 5 ? fields(of: content, contents) : 8 * content.count + element
    }

    /// InferTensorContents: lists of numbers, packed, and of bytes.
    private static func contents(_ field: Int, _ content: UnsafeRawBufferPointer) -> Int {
        // The last byte of a number has its highest bit clear.
        func numbers() -> Int { content.reduce(0) { $0 + ($1 < 0x80 ? 1 : 0) } }
        return switch field {
        case 1: numbers()
        case 2, 4: 4 * numbers()
        case 3, 5: 8 * numbers()
        case 6, 7: content.count
        default: content.count + element
        }
    }

    /// The sum over a message's fields; a number that stands alone counts as an element of a list.
    private static func fields(
        of message: UnsafeRawBufferPointer, _ size: (Int, UnsafeRawBufferPointer) -> Int
    ) -> Int {
        var (position, total) = (0, element)
        func varint() -> Int? {
            var value: UInt64 = 0
            for shift in stride(from: 0, to: 64, by: 7) {
                guard position < message.count else { return nil }
                let byte = message[position]
                position += 1
                value |= UInt64(byte & 0x7f) << UInt64(shift)
                if byte < 0x80 { return Int(truncatingIfNeeded: value) }
            }
            return nil
        }
        while let tag = varint() {
            switch tag & 7 {
            case 0:
                guard varint() != nil else { return total }
                total += 16
            case 1:
                position += 8
                total += 16
            case 2:
                guard let length = varint(), length >= 0, length <= message.count - position else { return total }
                total += size(tag >> 3, UnsafeRawBufferPointer(rebasing: message[position..<(position + length)]))
                position += length
            case 5:
                position += 4
                total += 16
            default: total += 16
            }
        }
        return total
    }
}
