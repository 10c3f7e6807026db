internal import ONNX
internal import Remedies

/// The entries of a ZIP file (PKWARE's APPNOTE.TXT, including ZIP64) that are stored uncompressed, as PyTorch writes all of them.
/// Compressed ones aren't read, so nothing here can expand.
struct ZipArchive {
    private(set) var entries: [String: Bytes] = [:]
    /// Names of entries that are compressed or encrypted.
    private(set) var unreadable: Set<String> = []

    private struct Entry {
        var name: String
        var size: Int
        var header: Int
        var isStored: Bool
    }

    static func matches(_ bytes: Bytes) -> Bool { bytes.count >= 4 && bytes.slice(0..<4).array == [0x50, 0x4B, 3, 4] }

    init(_ bytes: Bytes) throws(ModelToolsError) {
        let (directory, count) = try ZipArchive.directory(bytes)
        var reader = ByteReader(directory, of: "the ZIP's directory")
        var ranges: [Range<Int>] = []
        for _ in 0..<count {
            let entry = try ZipArchive.entry(&reader)
            var local = ByteReader(bytes, from: min(entry.header, bytes.count), of: "the ZIP file")
            guard try local.number(UInt32.self) == 0x0403_4B50 else {
                throw .malformed("the ZIP's directory points to byte \(entry.header), where there is no \(entry.name)")
            }
            _ = try local.take(22)
            let nameLength: UInt16 = try local.number()
            let extraLength: UInt16 = try local.number()
            _ = try local.take(Int(nameLength) + Int(extraLength))
            let start = local.position
            let content = try local.take(entry.size)
            ranges.append(entry.header..<(start + entry.size))
            guard entry.isStored else {
                unreadable.insert(entry.name)
                continue
            }
            guard entries.updateValue(content, forKey: entry.name) == nil else {
                throw .malformed("the ZIP has two entries named \(entry.name)")
            }
        }
        ranges.sort { $0.lowerBound < $1.lowerBound }
        for (one, next) in zip(ranges, ranges.dropFirst()) where one.upperBound > next.lowerBound {
            throw .malformed("entries of the ZIP overlap at byte \(next.lowerBound)")
        }
    }

    /// The central directory and its number of entries, located from the file's end.
    private static func directory(_ bytes: Bytes) throws(ModelToolsError) -> (Bytes, Int) {
        let window = max(0, bytes.count - 65_557)
        let tail = bytes.slice(window..<bytes.count).array
        guard tail.count >= 22,
            let found = (0...(tail.count - 22)).reversed().first(where: {
                tail[$0] == 0x50 && tail[$0 + 1] == 0x4B && tail[$0 + 2] == 5 && tail[$0 + 3] == 6
            })
        else { throw .malformed("it begins like a ZIP file but has no directory at its end") }
        let end = window + found
        var reader = ByteReader(bytes, from: end + 8, of: "the ZIP's end")
        _ = try reader.take(2)
        var count = Int(try reader.number(UInt16.self))
        var size = Int(try reader.number(UInt32.self))
        var offset = Int(try reader.number(UInt32.self))
        if count == 0xFFFF || size == 0xFFFF_FFFF || offset == 0xFFFF_FFFF {
            var locator = ByteReader(bytes, from: max(0, end - 20), of: "the ZIP's end")
            guard try locator.number(UInt32.self) == 0x0706_4B50 else {
                throw .malformed("the ZIP64 directory is missing")
            }
            _ = try locator.take(4)
            let place = try locator.length()
            var record = ByteReader(bytes, from: min(place, bytes.count), of: "the ZIP64 directory")
            guard try record.number(UInt32.self) == 0x0606_4B50 else {
                throw .malformed("the ZIP64 directory is missing")
            }
            _ = try record.take(28)
            count = try record.length()
            size = try record.length()
            offset = try record.length()
        }
        guard size <= end, offset <= end - size else {
            throw .malformed("the ZIP's directory lies outside the file")
        }
        guard count <= size / 46 else {
            throw .malformed("the ZIP claims \(count) entries, more than its directory holds")
        }
        return (bytes.slice(offset..<(offset + size)), count)
    }

    private static func entry(_ reader: inout ByteReader) throws(ModelToolsError) -> Entry {
        guard try reader.number(UInt32.self) == 0x0201_4B50 else { throw .malformed("the ZIP's directory is damaged") }
        _ = try reader.take(4)
        let flags: UInt16 = try reader.number()
        let method: UInt16 = try reader.number()
        _ = try reader.take(8)
        var compressed = Int(try reader.number(UInt32.self))
        var size = Int(try reader.number(UInt32.self))
        let nameLength: UInt16 = try reader.number()
        let extraLength: UInt16 = try reader.number()
        let commentLength: UInt16 = try reader.number()
        _ = try reader.take(8)
        var header = Int(try reader.number(UInt32.self))
        guard let name = try reader.take(Int(nameLength)).text else {
            throw .malformed("the ZIP has a name that is not UTF-8")
        }
        var extra = ByteReader(try reader.take(Int(extraLength)), of: "the ZIP's directory")
        _ = try reader.take(Int(commentLength))
        while extra.remaining >= 4 {
            let kind: UInt16 = try extra.number()
            let length: UInt16 = try extra.number()
            var field = ByteReader(try extra.take(Int(length)), of: "a ZIP64 field")
            guard kind == 1 else { continue }
            if size == 0xFFFF_FFFF { size = try field.length() }
            if compressed == 0xFFFF_FFFF { compressed = try field.length() }
            if header == 0xFFFF_FFFF { header = try field.length() }
        }
        let isStored = method == 0 && compressed == size && flags & 1 == 0
        return Entry(name: name, size: compressed, header: header, isStored: isStored)
    }

    /// An entry; an error if it is compressed, nil if it is missing.
    func entry(_ name: String) throws(ModelToolsError) -> Bytes? {
        guard !unreadable.contains(name) else {
            throw ModelToolsError(
                .unsupported, "the entry \(name) of the ZIP is compressed or encrypted, which PyTorch never does",
                remedy: "Load it with PyTorch and save it again.")
        }
        return entries[name]
    }
}
