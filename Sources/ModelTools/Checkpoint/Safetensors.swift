internal import Foundation
internal import ONNX
internal import Remedies

/// Hugging Face's safetensors: the length of a JSON header, the header, the bytes of all tensors.
enum Safetensors {
    private static let longestHeader = 25_000_000

    /// A header's length, then its opening brace.
    static func matches(_ bytes: Bytes) -> Bool {
        guard bytes.count > 9, bytes.slice(8..<9).array == [UInt8(ascii: "{")] else { return false }
        // All but the first four bytes of the length are 0, which no text has.
        return bytes.slice(4..<8).array.allSatisfy { $0 == 0 }
    }

    private struct Entry: Decodable {
        var dtype: String
        var shape: [Int]
        var offsets: [Int]

        private enum CodingKeys: String, CodingKey {
            case dtype, shape
            case offsets = "data_offsets"
        }
    }

    /// A tensor, or the metadata: text by name.
    private enum Item: Decodable {
        case tensor(Entry)
        case metadata([String: String])

        init(from decoder: any Decoder) throws {
            if decoder.codingPath.last?.stringValue == "__metadata__" {
                self = .metadata(try [String: String](from: decoder))
            } else {
                self = .tensor(try Entry(from: decoder))
            }
        }
    }

    static func read(_ bytes: Bytes) throws(ModelToolsError) -> (
        tensors: [String: CheckpointTensor], metadata: [String: String]
    ) {
        var reader = ByteReader(bytes, of: "the file")
        let length = try reader.length()
        guard length <= longestHeader else {
            throw .malformed("its safetensors header claims \(length) bytes; the limit is \(longestHeader)")
        }
        let header = try reader.take(length)
        let data = try reader.take(reader.remaining)
        let items: [String: Item]
        do {
            items = try JSONDecoder().decode([String: Item].self, from: Data(header.array))
        } catch {
            throw .malformed("its safetensors header is not valid")
        }
        var tensors: [String: CheckpointTensor] = [:]
        var metadata: [String: String] = [:]
        var ranges: [Range<Int>] = []
        for (name, item) in items {
            switch item {
            case .metadata(let entries): metadata = entries
            case .tensor(let entry):
                guard let type = ScalarType(safetensors: entry.dtype) else {
                    throw ModelToolsError(
                        .unsupported, "the tensor \(name) has the type \(entry.dtype)",
                        remedy: "Apus reads F32, F16, BF16, F64, I8 to I64, U8 and BOOL: save it as one of these.")
                }
                guard entry.offsets.count == 2, 0 <= entry.offsets[0],
                    entry.offsets[0] <= entry.offsets[1], entry.offsets[1] <= data.count
                else { throw .malformed("the tensor \(name) lies outside the file") }
                let range = entry.offsets[0]..<entry.offsets[1]
                guard let strides = CheckpointTensor.rowMajor(entry.shape) else {
                    throw .malformed("the tensor \(name) has the invalid shape \(entry.shape)")
                }
                let tensor = try CheckpointTensor(
                    type: type, shape: entry.shape, strides: strides, offset: 0, storage: data.slice(range))
                guard tensor.count * type.size == range.count else {
                    throw .malformed("the tensor \(name) of shape \(entry.shape) has \(range.count) bytes")
                }
                if !range.isEmpty { ranges.append(range) }
                tensors[name] = tensor
            }
        }
        ranges.sort { $0.lowerBound < $1.lowerBound }
        for (one, next) in zip(ranges, ranges.dropFirst()) where one.upperBound > next.lowerBound {
            throw .malformed("tensors overlap at byte \(next.lowerBound)")
        }
        return (tensors, metadata)
    }
}
