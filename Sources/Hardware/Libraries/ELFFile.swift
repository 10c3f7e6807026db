internal import Foundation

/// What the dynamic linker reads from a shared library: its dependencies, search paths and symbols.
///
/// Layout: System V ABI, "Object Files" and "Dynamic Linking"; symbol versions: Linux Standard Base, "Symbol Versioning".
package struct ELFFile: Sendable {
    package let path: String
    /// DT_NEEDED, in order.
    package let needed: [String]
    package let soname: String?
    /// DT_RPATH, used only without DT_RUNPATH.
    package let rpath: [String]
    package let runpath: [String]
    /// Symbols exported to other libraries.
    package let defined: Set<String>
    /// Symbols that another library must define, without weak ones, which may be absent.
    package let undefined: [String]
    /// Symbol versions required of other libraries, such as ["libc.so.6": ["GLIBC_2.28"]].
    package let neededVersions: [String: [String]]
    /// Symbol versions that this library provides.
    package let definedVersions: Set<String>

    /// Whether a file is an x86-64 library, judged by its header alone.
    static func isForThisProcessor(_ path: String) -> Bool {
        guard let file = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? file.close() }
        guard let header = try? file.read(upToCount: 20), header.count == 20 else { return false }
        return header.prefix(4) == magic && header[4] == 2 && header[18] == 62 && header[19] == 0
    }

    private static let magic = Data([0x7f, 0x45, 0x4c, 0x46])

    private enum Tag {
        static let needed: Int64 = 1
        static let hash: Int64 = 4
        static let strings: Int64 = 5
        static let symbols: Int64 = 6
        static let stringsSize: Int64 = 10
        static let soname: Int64 = 14
        static let rpath: Int64 = 15
        static let runpath: Int64 = 29
        static let gnuHash: Int64 = 0x6fff_fef5
        static let versionDefinitions: Int64 = 0x6fff_fffc
        static let versionDefinitionCount: Int64 = 0x6fff_fffd
        static let versionNeeds: Int64 = 0x6fff_fffe
        static let versionNeedCount: Int64 = 0x6fff_ffff
    }

    /// Reads the tables of a library for this processor.
    ///
    /// - Throws: `HardwareError` that states whether the file is missing, unreadable, truncated, not a library, or one for
    ///   another processor.
    package init(_ path: String) throws(HardwareError) {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
        } catch {
            throw HardwareError(
                path, FileManager.default.fileExists(atPath: path) ? "it cannot be read" : "there is no such file")
        }
        try self.init(data: data, path: path)
    }

    /// - Parameter path: its name in errors, and the base of `$ORIGIN`.
    package init(bytes: [UInt8], path: String) throws(HardwareError) {
        try self.init(data: Data(bytes), path: path)
    }

    private init(data: Data, path: String) throws(HardwareError) {
        let image = Image(data: data, path: path)
        guard data.count >= 64, data.prefix(4) == ELFFile.magic else {
            throw HardwareError(path, data.isEmpty ? "the file is empty" : "it is not a shared library (no ELF header)")
        }
        guard data[data.startIndex + 4] == 2, try image.integer(UInt16.self, at: 18) == 62 else {
            throw HardwareError(path, "it is a library for another processor, not for x86-64")
        }
        let segments = try image.segments()
        let (values, neededOffsets) = try ELFFile.dynamicSection(of: image, segments)
        guard let stringsAddress = values[Tag.strings], let symbolsAddress = values[Tag.symbols] else {
            throw HardwareError(path, "it is not a shared library (no symbol table)")
        }
        let strings = Strings(
            image: image, start: try image.offset(of: stringsAddress, in: segments),
            size: Int(clamping: values[Tag.stringsSize] ?? 0))
        let symbols = try image.offset(of: symbolsAddress, in: segments)

        self.path = path
        needed = try neededOffsets.map { offset throws(HardwareError) in try strings[offset] }
        soname = try values[Tag.soname].map { offset throws(HardwareError) in try strings[offset] }
        // Like glibc: the folder of the opened path, without resolving links in it.
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        func paths(_ tag: Int64) throws(HardwareError) -> [String] {
            guard let offset = values[tag] else { return [] }
            return try strings[offset].split(separator: ":").map {
                $0.replacingOccurrences(of: "${ORIGIN}", with: folder).replacingOccurrences(of: "$ORIGIN", with: folder)
            }
        }
        runpath = try paths(Tag.runpath)
        rpath = runpath.isEmpty ? try paths(Tag.rpath) : []

        func table(_ tag: Int64) throws(HardwareError) -> Int? {
            guard let address = values[tag] else { return nil }
            return try image.offset(of: address, in: segments)
        }
        let count = try image.symbolCount(gnuHash: try table(Tag.gnuHash), hash: try table(Tag.hash))
        (defined, undefined) = try ELFFile.names(of: count, at: symbols, image, strings)
        neededVersions = try image.versionNeeds(
            at: values[Tag.versionNeeds], count: values[Tag.versionNeedCount], segments: segments, strings: strings)
        definedVersions = try image.versionDefinitions(
            at: values[Tag.versionDefinitions], count: values[Tag.versionDefinitionCount], segments: segments,
            strings: strings)
    }

    /// The last value of each tag, and all values of DT_NEEDED, the only tag that recurs.
    private static func dynamicSection(
        of image: Image, _ segments: [Image.Segment]
    ) throws(HardwareError) -> (values: [Int64: UInt64], needed: [UInt64]) {
        guard let dynamic = segments.first(where: { $0.type == 2 }) else {
            throw HardwareError(image.path, "it is not a shared library (no dynamic section)")
        }
        var values: [Int64: UInt64] = [:]
        var needed: [UInt64] = []
        for position in stride(from: dynamic.offset, to: dynamic.offset + dynamic.fileSize, by: 16) {
            let tag = try image.integer(Int64.self, at: position)
            let value = try image.integer(UInt64.self, at: position + 8)
            if tag == 0 { break }
            if tag == Tag.needed { needed.append(value) }
            values[tag] = value
        }
        return (values, needed)
    }

    /// The names in a symbol table with `count` entries.
    private static func names(
        of count: Int, at symbols: Int, _ image: Image, _ strings: Strings
    ) throws(HardwareError) -> (defined: Set<String>, undefined: [String]) {
        var defined: Set<String> = []
        var undefined: [String] = []
        defined.reserveCapacity(count)
        for index in 1..<max(1, count) {
            let entry = symbols + 24 * index
            let name = try image.integer(UInt32.self, at: entry)
            let binding = try image.integer(UInt8.self, at: entry + 4) >> 4  // 0 local, 1 global, 2 weak, 10 unique
            guard name != 0, binding != 0 else { continue }
            if try image.integer(UInt16.self, at: entry + 6) != 0 {
                defined.insert(try strings[UInt64(name)])
            } else if binding == 1 {
                undefined.append(try strings[UInt64(name)])
            }
        }
        return (defined, undefined)
    }
}

/// The bytes of the file; every read is checked, as the file may be truncated.
private struct Image {
    struct Segment {
        var type: UInt32
        var offset: Int
        var address: UInt64
        var fileSize: Int
    }

    /// Max versions that a library needs or provides; glibc provides fifty.
    static let mostVersions = 10_000

    let data: Data
    let path: String

    var damaged: HardwareError { HardwareError(path, "the file is damaged or truncated (\(data.count) bytes)") }

    func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        _: Value.Type, at offset: Int
    ) throws(HardwareError) -> Value {
        guard offset >= 0, offset <= data.count - MemoryLayout<Value>.size else { throw damaged }
        return data.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
    }

    func size(_ offset: Int) throws(HardwareError) -> Int {
        guard let value = Int(exactly: try integer(UInt64.self, at: offset)), value <= data.count else { throw damaged }
        return value
    }

    func segments() throws(HardwareError) -> [Segment] {
        let table = try size(32)
        let count = Int(try integer(UInt16.self, at: 56))
        var segments: [Segment] = []
        for index in 0..<count {
            let entry = table + 56 * index
            let type = try integer(UInt32.self, at: entry)
            guard type == 1 || type == 2 else { continue }  // PT_LOAD, PT_DYNAMIC
            segments.append(
                Segment(
                    type: type, offset: try size(entry + 8), address: try integer(UInt64.self, at: entry + 16),
                    fileSize: try size(entry + 32)))
            guard let last = segments.last, last.offset + last.fileSize <= data.count else { throw damaged }
        }
        return segments
    }

    /// The file offset of an address.
    func offset(of address: UInt64, in segments: [Segment]) throws(HardwareError) -> Int {
        for segment in segments where segment.type == 1 && address >= segment.address {
            let distance = address - segment.address
            if distance < UInt64(segment.fileSize) { return segment.offset + Int(distance) }
        }
        throw damaged
    }

    /// The number of dynamic symbols, which only the hash table contains.
    func symbolCount(gnuHash: Int?, hash: Int?) throws(HardwareError) -> Int {
        let most = data.count / 24
        if let hash { return min(Int(try integer(UInt32.self, at: hash + 4)), most) }
        guard let gnuHash else { return 0 }
        let buckets = Int(try integer(UInt32.self, at: gnuHash))
        let first = Int(try integer(UInt32.self, at: gnuHash + 4))
        let bloomWords = Int(try integer(UInt32.self, at: gnuHash + 8))
        let bucketTable = gnuHash + 16 + 8 * bloomWords
        let chain = bucketTable + 4 * buckets
        guard bucketTable <= data.count, chain <= data.count else { throw damaged }
        var last = 0
        for bucket in 0..<buckets { last = max(last, Int(try integer(UInt32.self, at: bucketTable + 4 * bucket))) }
        guard last >= first else { return min(first, most) }
        // A chain ends at the entry whose lowest bit is set.
        while try integer(UInt32.self, at: chain + 4 * (last - first)) & 1 == 0 { last += 1 }
        return min(last + 1, most)
    }

    func versionNeeds(
        at address: UInt64?, count: UInt64?, segments: [Segment], strings: Strings
    ) throws(HardwareError) -> [String: [String]] {
        guard let address, let count else { return [:] }
        var needs: [String: [String]] = [:]
        var entry = try offset(of: address, in: segments)
        var left = Image.mostVersions
        for _ in 0..<min(count, UInt64(Image.mostVersions)) {
            let file = try strings[UInt64(try integer(UInt32.self, at: entry + 4))]
            var auxiliary = entry + Int(try integer(UInt32.self, at: entry + 8))
            for _ in 0..<Int(try integer(UInt16.self, at: entry + 2)) {
                left -= 1
                guard left > 0 else { throw damaged }
                let isWeak = try integer(UInt16.self, at: auxiliary + 4) & 2 != 0
                if !isWeak {
                    needs[file, default: []].append(try strings[UInt64(try integer(UInt32.self, at: auxiliary + 8))])
                }
                let next = Int(try integer(UInt32.self, at: auxiliary + 12))
                if next == 0 { break }  // the last one
                auxiliary += next
            }
            let next = Int(try integer(UInt32.self, at: entry + 12))
            if next == 0 { break }
            entry += next
        }
        return needs
    }

    func versionDefinitions(
        at address: UInt64?, count: UInt64?, segments: [Segment], strings: Strings
    ) throws(HardwareError) -> Set<String> {
        guard let address, let count else { return [] }
        var versions: Set<String> = []
        var entry = try offset(of: address, in: segments)
        for _ in 0..<min(count, UInt64(Image.mostVersions)) {
            let auxiliary = entry + Int(try integer(UInt32.self, at: entry + 12))
            versions.insert(try strings[UInt64(try integer(UInt32.self, at: auxiliary))])
            let next = Int(try integer(UInt32.self, at: entry + 16))
            if next == 0 { break }
            entry += next
        }
        return versions
    }
}

/// The string table.
private struct Strings {
    let image: Image
    let start: Int
    let size: Int
    /// Max bytes read of a name; C++ names can have thousands.
    private static let longest = 1 << 16

    subscript(_ offset: UInt64) -> String {
        get throws(HardwareError) {
            guard let offset = Int(exactly: offset), offset < size, start <= image.data.count - size else {
                throw image.damaged
            }
            return image.data.withUnsafeBytes { bytes in
                let name = bytes[(start + offset)..<(start + size)].prefix(Strings.longest).prefix { $0 != 0 }
                return String(decoding: name, as: UTF8.self)
            }
        }
    }
}
