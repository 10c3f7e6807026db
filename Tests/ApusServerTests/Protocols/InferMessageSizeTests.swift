import ApusServer
import Testing

struct InferMessageSizeTests {
    private static func varint(_ number: Int) -> [UInt8] {
        number < 128 ? [UInt8(number)] : [UInt8(number & 127 | 128)] + varint(number >> 7)
    }

    private static func field(_ number: Int, _ content: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(content.count) + content
    }

    /// A message with one input with contents.
    private static func message(_ contents: [UInt8]) -> [UInt8] {
        field(1, Array("demo".utf8)) + field(5, field(1, Array("image".utf8)) + field(5, contents))
    }

    private static func size(_ message: [UInt8]) -> Int {
        message.withUnsafeBytes { InferMessageSize.decoded($0) }
    }

    @Test(arguments: [
        (1, [UInt8](repeating: 1, count: 10_000), 10_000), (2, .init(repeating: 1, count: 10_000), 40_000),
        (3, .init(repeating: 1, count: 10_000), 80_000), (4, .init(repeating: 1, count: 10_000), 40_000),
        (5, .init(repeating: 1, count: 10_000), 80_000), (6, .init(repeating: 255, count: 10_000), 10_000),
        (7, .init(repeating: 255, count: 10_000), 10_000), (8, .init(repeating: 255, count: 10_000), 10_000),
        // Two bytes a number.
        (3, (0..<10_000).map { $0.isMultiple(of: 2) ? 0x81 : 1 }, 40_000),
    ])
    func listsOfNumbersCountAsTheyLieInMemory(field: Int, content: [UInt8], expected: Int) {
        let size = Self.size(Self.message(Self.field(field, content)))
        #expect((expected...(expected + 1000)).contains(size))
    }

    @Test func elementsThatStandAloneCountEach() {
        let empty = [[UInt8]](repeating: Self.field(8, []), count: 1000).flatMap(\.self)
        #expect(Self.size(Self.message(empty)) > 1000 * 24)
        let alone = [[UInt8]](repeating: [3 << 3, 1], count: 1000).flatMap(\.self)
        #expect(Self.size(Self.message(alone)) >= 1000 * 8)
        let raw = [[UInt8]](repeating: Self.field(7, []), count: 1000).flatMap(\.self)
        #expect(Self.size(raw) > 1000 * 24)
        let inputs = [[UInt8]](repeating: Self.field(5, []), count: 1000).flatMap(\.self)
        #expect(Self.size(inputs) > 1000 * 48)
    }

    @Test func aPictureCountsAboutItself() {
        let size = Self.size(Self.field(1, Array("demo".utf8)) + Self.field(7, .init(repeating: 7, count: 100_000)))
        #expect((100_000...101_000).contains(size))
    }

    @Test func whatBreaksOffIsRead() {
        let whole = Self.message(Self.field(3, .init(repeating: 1, count: 300)))
        for count in 0...whole.count { #expect(Self.size(Array(whole.prefix(count))) < 10_000) }
        for first in UInt8.min...UInt8.max {
            _ = Self.size([first])
            _ = Self.size([UInt8](repeating: first, count: 40))
            _ = Self.size([first] + [UInt8](repeating: 255, count: 9) + [1, 0])
        }
    }
}
