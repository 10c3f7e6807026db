import Foundation

/// Small files that are expensive to decode, made here rather than kept.
enum HostileImages {
    // MARK: PNG

    static func png(width: Int, height: Int, interlaced: Bool = false, chunks: [[UInt8]]) -> [UInt8] {
        let header = bigEndian(width, 4) + bigEndian(height, 4) + [8, 0, 0, 0, interlaced ? 1 : 0]  // gray
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", header) + chunks.flatMap { $0 }
            + chunk("IEND", [])
    }

    static func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
        let content = Array(name.utf8) + body
        return bigEndian(body.count, 4) + content + bigEndian(Int(crc(content)), 4)
    }

    /// A zlib stream of zeros: a thousand times as long as its own `bytes`, and without an end.
    ///
    /// Its only block has codes of 2, 2 and 1 bits for the literal 0, the end and the length 258, and one of 1 bit for
    /// the distance 1: after a literal, every 2 zero bits are 258 zeros.
    static func endlessZeros(bytes: Int) -> [UInt8] {
        var bits = Bits()
        bits.add(1, 1)  // last block
        bits.add(2, 2)  // dynamic codes
        bits.add(29, 5)  // 286 literals and lengths
        bits.add(0, 5)  // 1 distance
        bits.add(14, 4)  // 18 code lengths, in the order 16, 17, 18, 0, 8, ... 2, 14, 1
        for index in 0..<18 { bits.add([2: 1, 15: 2, 17: 2][index] ?? 0, 3) }
        let (one, two, zeros) = ((0b01, 2), (0b11, 2), (0, 1))  // canonical codes, their first bit lowest
        bits.add(two)  // literal 0
        for run in [138, 117] { bits.add(zeros, run - 11) }
        bits.add(two)  // end of block, 256
        bits.add(zeros, 28 - 11)
        bits.add(one)  // length 258, 285
        bits.add(one)  // distance 1
        bits.add(0b01, 2)  // the first zero
        return [0x78, 0x9C] + bits.bytes + [UInt8](repeating: 0, count: bytes)
    }

    // MARK: JPEG

    enum Coding: UInt8 {
        case progressive = 0xC2
        case arithmetic = 0xC9
    }

    /// The markers before the first scan. With these Huffman tables every coefficient is 0 and a code is a zero bit.
    static func jpegHeader(_ coding: Coding, width: Int, height: Int, components: Int) -> [UInt8] {
        var file: [UInt8] = [0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0] + [UInt8](repeating: 1, count: 64)
        file += [0xFF, coding.rawValue] + bigEndian(8 + 3 * components, 2) + [8] + bigEndian(height, 2)
        file += bigEndian(width, 2) + [UInt8(components)]
        for component in 1...components { file += [UInt8(component), 0x11, 0] }
        for (table, symbol) in [(0x00, 0x00), (0x10, 0xE0)] as [(UInt8, UInt8)] {
            file += [0xFF, 0xC4, 0, 20, table, 1] + [UInt8](repeating: 0, count: 15) + [symbol]
        }
        return file
    }

    static func scan(components: Int, _ parameters: [UInt8], _ data: [UInt8]) -> [UInt8] {
        var file: [UInt8] = [0xFF, 0xDA] + bigEndian(6 + 2 * components, 2) + [UInt8(components)]
        for component in 1...components { file += [UInt8(component), 0] }
        return file + parameters + data
    }

    /// A gray image without detail, whose last scan is there `repeats` times: some 200 bytes for 100 megapixels.
    static func repeatedScans(side: Int, repeats: Int) -> [UInt8] {
        let blocks = (side + 7) / 8 * ((side + 7) / 8)
        let levels = [UInt8](repeating: 0, count: blocks / 8 + 1)
        let runs = [UInt8](repeating: 0, count: (blocks / 16384 + 1) * 15 / 8 + 1)  // of 16,384 empty blocks each
        let refinement = scan(components: 1, [1, 63, 0x10], runs)
        return jpegHeader(.progressive, width: side, height: side, components: 1)
            + scan(components: 1, [0, 0, 0], levels) + scan(components: 1, [1, 63, 1], runs)
            + (0..<repeats).flatMap { _ in refinement } + [0xFF, 0xD9]
    }

    /// Arithmetic coding goes on without data: what is missing counts as zeros.
    static func arithmetic(width: Int, height: Int) -> [UInt8] {
        jpegHeader(.arithmetic, width: width, height: height, components: 3)
            + scan(components: 3, [0, 63, 0], []) + [0xFF, 0xD9]
    }

    // MARK: Parts

    private struct Bits {
        var bytes: [UInt8] = []
        var used = 8

        mutating func add(_ code: (value: Int, count: Int), _ extra: Int? = nil) {
            add(code.value, code.count)
            if let extra { add(extra, 7) }
        }

        mutating func add(_ value: Int, _ count: Int) {
            for bit in 0..<count {
                if used == 8 {
                    bytes.append(0)
                    used = 0
                }
                bytes[bytes.count - 1] |= UInt8((value >> bit) & 1) << UInt8(used)
                used += 1
            }
        }
    }

    private static func bigEndian(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * (count - 1 - $0))) }
    }

    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1 }
    }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBufferPointer { bytes in
            table.withUnsafeBufferPointer { table in
                ~bytes.reduce(UInt32.max) { crc, byte in table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ (crc >> 8)
                }
            }
        }
    }
}

/// Seconds of this thread's processor time that `body` takes.
func cpuSeconds(_ body: () throws -> Void) rethrows -> Double {
    func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
    let start = now()
    try body()
    return now() - start
}
