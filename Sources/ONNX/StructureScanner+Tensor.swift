internal import Remedies

extension StructureScanner {
    /// Scans a tensor's description, without reading its elements.
    mutating func scan(tensor bytes: Bytes) throws(ModelFileError) {
        let header = try TensorHeader(bytes)
        try check(rank: header.rank, of: header.name)
        let size = try byteCount(header.name, header.dimensions, type: header.type, limit: limits.tensorBytes)
        for location in header.locations {
            try ExternalFolder.check(location)
            add(externalFile: location)
        }
        if header.isExternal {
            guard !header.locations.isEmpty else {
                throw .malformed("the tensor \(header.name) is in another file but does not name it")
            }
        } else if let raw = header.rawBytes, let size, raw != size {
            throw .malformed(
                "the tensor \(header.name) of shape \(header.dimensions) has \(raw) bytes, which does not match")
        }
    }

    mutating func scan(sparse bytes: Bytes) throws(ModelFileError) {
        var reader = ProtobufReader(bytes)
        var dimensions: [Int64] = []
        var name = ""
        var type = 0
        var rank = 0
        while let field = try reader.next() {
            switch field.number {
            case 1:
                let values = try TensorHeader(field.bytes())
                (name, type) = (values.name, values.type)
                try scan(tensor: field.bytes())
            case 2: try scan(tensor: field.bytes())
            case 3: try TensorHeader.append(field, to: &dimensions, &rank)
            default: break
            }
        }
        try check(rank: rank, of: name)
        _ = try byteCount(name, dimensions, type: type, limit: limits.denseBytes)
    }

    /// Bytes of a tensor; nil for text, and if there is no type.
    private func byteCount(
        _ name: String, _ dimensions: [Int64], type: Int, limit: Int
    ) throws(ModelFileError) -> Int? {
        var count = 1
        // The product of all sizes must not overflow, even if one of them is 0.
        var product = 1
        for dimension in dimensions {
            guard dimension >= 0 else { throw .malformed("the tensor \(name) has the negative shape \(dimensions)") }
            count = count.times(Int(dimension))
            product = product.times(max(1, Int(dimension)))
        }
        guard type != 0 else { return nil }
        guard let element = DataType(rawValue: type) else {
            throw ModelFileError(
                .unsupported, "the tensor \(name) has the unknown element type \(type)",
                remedy: "Export the model with another type, or use a newer version of Apus.")
        }
        let bits = element.bits ?? 8
        guard product.times(bits) < Int.max, count.times(bits) / 8 <= limit else {
            throw ModelFileError(
                .unsupported, "the tensor \(name) of shape \(dimensions) exceeds the limit of \(limit) bytes",
                remedy: "Export the model again, or split it.")
        }
        return element.byteCount(count)
    }
}

/// The description in a `TensorProto`.
private struct TensorHeader {
    var name = ""
    var type = 0
    var dimensions: [Int64] = []
    /// The number of dimensions; only as many are kept as a tensor can have.
    var rank = 0
    /// Bytes of `raw_data`; nil if the elements are elsewhere.
    var rawBytes: Int?
    var isExternal = false
    /// All files that are named: if there are two, parsers differ in which they use.
    var locations: [String] = []

    init(_ bytes: Bytes) throws(ModelFileError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: try TensorHeader.append(field, to: &dimensions, &rank)
            case 2: type = try field.integer()
            case 8: name = try field.text()
            case 9: rawBytes = try field.bytes().count
            case 13:
                let (key, value) = try ONNXModel.entry(field.bytes())
                if key == "location" { locations.append(value) }
            case 14: if try field.integer() == 1 { isExternal = true }
            default: break
            }
        }
    }

    static func append(
        _ field: ProtobufReader.Field, to dimensions: inout [Int64], _ rank: inout Int
    ) throws(ModelFileError) {
        if case .bytes(let packed) = field.value {
            var reader = ProtobufReader(packed)
            while !reader.isAtEnd {
                let value = Int64(bitPattern: try reader.varint())
                if rank < 1000 { dimensions.append(value) }
                rank += 1
            }
        } else {
            if rank < 1000 { dimensions += try field.integers() }
            rank += 1
        }
    }
}
