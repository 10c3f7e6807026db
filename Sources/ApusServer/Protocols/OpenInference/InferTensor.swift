internal import Engine
internal import NIOCore

/// A tensor passed between a client and a model.
struct InferTensor: Sendable {
    enum Content: Sendable {
        /// Elements in row-major order, little-endian.
        case numbers(ArraySlice<UInt8>)
        /// Of datatype `bytes`.
        case items([ArraySlice<UInt8>])
    }

    var name: String
    var datatype: Datatype
    var shape: [Int]
    var content: Content

    private static let maxRank = 8

    /// The number of elements.
    var count: Int {
        switch content {
        case .numbers(let bytes): bytes.count / (datatype.size ?? 1)
        case .items(let items): items.count
        }
    }

    /// The size of its binary form.
    var byteCount: Int {
        switch content {
        case .numbers(let bytes): bytes.count
        case .items(let items): items.reduce(0) { $0 + 4 + $1.count }
        }
    }

    /// - Throws: `ServerError` if the content does not match the shape.
    init(name: String, datatype: Datatype, shape: [Int], content: Content) throws(ServerError) {
        let count = try InferTensor.count(shape, name)
        let (given, wanted) =
            switch content {
            case .numbers(let bytes): (bytes.count, count * (datatype.size ?? 1))
            case .items(let items): (items.count, count)
            }
        guard given == wanted else {
            throw .badRequest(
                "The input \(Quoted(name)) of shape \(Quoted(shape)) and type \(datatype.rawValue) has \(given) "
                    + (datatype == .bytes ? "elements, not \(wanted)" : "bytes, not \(wanted)"))
        }
        (self.name, self.datatype, self.shape, self.content) = (name, datatype, shape, content)
    }

    /// The number of elements of a shape.
    static func count(_ shape: [Int], _ name: String) throws(ServerError) -> Int {
        guard shape.count <= maxRank else {
            throw .badRequest(
                "The shape of \(Quoted(name)) has \(shape.count) dimensions; \(maxRank) are supported")
        }
        var count = 1
        for side in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: side)
            guard side >= 0, !overflow, product <= 1 << 32 else {
                throw .badRequest("The shape \(Quoted(shape)) of \(Quoted(name)) is not valid")
            }
            count = product
        }
        return count
    }

    /// Parses the binary form: elements of `bytes` have a 4-byte length prefix.
    init(name: String, datatype: Datatype, shape: [Int], binary: ArraySlice<UInt8>) throws(ServerError) {
        guard datatype == .bytes else {
            try self.init(name: name, datatype: datatype, shape: shape, content: .numbers(binary))
            return
        }
        var items: [ArraySlice<UInt8>] = []
        var rest = binary
        while !rest.isEmpty {
            guard rest.count >= 4 else { throw .badRequest("The input \(Quoted(name)) is truncated") }
            let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard length <= rest.count else {
                throw .badRequest("The input \(Quoted(name)) is truncated: an element should have \(length) bytes")
            }
            items.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        try self.init(name: name, datatype: datatype, shape: shape, content: .items(items))
    }

    /// Appends the binary form.
    func write(to buffer: inout ByteBuffer) {
        switch content {
        case .numbers(let bytes): buffer.writeBytes(bytes)
        case .items(let items):
            for item in items {
                buffer.writeInteger(UInt32(item.count), endianness: .little)
                buffer.writeBytes(item)
            }
        }
    }

    // MARK: Numbers

    init<Scalar: TensorScalar>(name: String, shape: [Int], _ scalars: [Scalar]) {
        guard let datatype = Datatype(Scalar.elementType) else { preconditionFailure("no output is bf16") }
        self.name = name
        self.datatype = datatype
        self.shape = shape
        content = .numbers(scalars.withUnsafeBytes { Array($0)[...] })
    }

    init(name: String, shape: [Int], texts: [String]) {
        self.name = name
        datatype = .bytes
        self.shape = shape
        content = .items(texts.map { Array($0.utf8)[...] })
    }

    /// Converts to a runtime tensor.
    func tensor() throws -> Tensor {
        guard case .numbers(let bytes) = content else {
            throw ServerError.badRequest(
                "The input \(Quoted(name)) is of type BYTES, which the model doesn't accept")
        }
        func make<Scalar: TensorScalar>(_: Scalar.Type) throws -> Tensor {
            try Tensor(Scalar.self, shape: shape) { target in
                UnsafeMutableRawBufferPointer(target).copyBytes(from: bytes)
            }
        }
        return switch datatype {
        case .bool, .uint8:
            // The runtime's bool is one byte, either 0 or 1.
            datatype == .uint8
                ? try make(UInt8.self) : try Tensor(shape: shape, scalars: bytes.map { $0 != 0 })
        case .int32: try make(Int32.self)
        case .int64: try make(Int64.self)
        case .float16: try make(Float16.self)
        case .float32: try make(Float.self)
        case .float64: try make(Double.self)
        case .bytes: preconditionFailure("BYTES are items")
        }
    }

    /// Converts from a runtime tensor; nil if the protocol has no such type.
    init?(name: String, _ tensor: Tensor) {
        guard let datatype = Datatype(tensor.elementType) else { return nil }
        self.name = name
        self.datatype = datatype
        shape = tensor.shape
        content = .numbers(tensor.withBytes { Array($0)[...] })
    }
}
