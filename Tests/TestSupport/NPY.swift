package import Foundation

/// A float32 array from a NumPy .npy file, version 1.
package struct NPY {
    package var shape: [Int]
    package var values: [Float]

    package init(contentsOf url: URL) throws {
        let data = try Data(contentsOf: url)
        let length = Int(data[8]) | Int(data[9]) << 8
        let header = String(decoding: data[10..<(10 + length)], as: UTF8.self)
        guard header.contains("'<f4'"), header.contains("'fortran_order': False"),
            let open = header.firstIndex(of: "("), let close = header.firstIndex(of: ")")
        else { throw CocoaError(.fileReadCorruptFile) }
        shape = header[open..<close].split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) }
        values = data[(10 + length)...].withUnsafeBytes { bytes in
            (0..<(bytes.count / 4)).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
    }
}
