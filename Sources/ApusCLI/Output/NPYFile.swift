import Engine

/// NumPy's .npy format, version 1.0 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
enum NPYFile {
    static func bytes(_ tensor: Tensor) -> [UInt8] {
        let type = tensor.elementType == .float16 ? "<f2" : "<f4"
        let shape = tensor.shape.map(String.init).joined(separator: ", ") + (tensor.shape.count == 1 ? "," : "")
        var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(shape)), }"
        // Magic (6), version (2), length (2), header and newline: together a multiple of 64.
        header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
        let length = UInt16(header.utf8.count)
        let start = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
        return start + Array(header.utf8) + tensor.withBytes { Array($0) }
    }
}
