import ModelTools
import ONNX
import Testing

/// Pickles written by hand, each inside of the ZIP that torch.save would make.
@Suite struct HostilePickleTests {
    private func read(_ pickle: [UInt8], storage: [UInt8] = [UInt8](repeating: 0, count: 16)) throws -> Checkpoint {
        try Checkpoint(
            bytes: Bytes(StoredZip.bytes(["a/data.pkl": pickle, "a/data/0": storage])), name: "hostile.pth")
    }

    private func text(_ text: String) -> [UInt8] {
        [0x58] + StoredZip.little(UInt32(text.utf8.count)) + Array(text.utf8)
    }
    private func number(_ value: Int32) -> [UInt8] { [0x4A] + StoredZip.little(UInt32(bitPattern: value)) }
    private func numbers(_ values: [Int32]) -> [UInt8] { [0x28] + values.flatMap(number) + [0x74] }
    private func global(_ name: String) -> [UInt8] { Array("c\(name)\n".utf8) }

    /// {"w": _rebuild_tensor_v2(storage of `count` f32, offset, size, stride)}
    private func tensor(count: Int32, offset: Int32, size: [Int32], stride: [Int32]) -> [UInt8] {
        [0x80, 2, 0x7D] + text("w") + global("torch._utils\n_rebuild_tensor_v2") + [0x28]
            + [0x28] + text("storage") + global("torch\nFloatStorage") + text("0") + text("cpu") + number(count)
            + [0x74, 0x51] + number(offset) + numbers(size) + numbers(stride) + [0x89, 0x4E, 0x74, 0x52, 0x73, 0x2E]
    }

    @Test func aSoundTensorIsRead() throws {
        let checkpoint = try read(tensor(count: 4, offset: 0, size: [2, 2], stride: [2, 1]))
        #expect(checkpoint.tensors["w"]?.shape == [2, 2])
    }

    /// The stride of a dimension of one place is never used, whatever it says.
    @Test func aDimensionOfOnePlaceMayHaveAnyStride() throws {
        let pickle = tensor(count: 4, offset: 0, size: [2, 1, 2], stride: [1, 0x7FFF_FFFF, 2])
        let checkpoint = try read(pickle, storage: [1, 2, 3, 4].flatMap { StoredZip.little(Float($0).bitPattern) })
        #expect(checkpoint.tensors["w"]?.floats() == [1, 3, 2, 4])
    }

    @Test(arguments: [
        ([2, 2], [-2, 1], 0, 4, "negative strides"), ([2, 2], [2, 1], -1, 4, "negative strides [2, 1] or offset -1"),
        ([-2, 2], [2, 1], 0, 4, "negative size"), ([3, 2], [2, 1], 0, 4, "reaches past the end"),
        ([2, 2], [2, 1], 2, 4, "reaches past the end"), ([2], [2, 1], 0, 4, "1 dimensions and 2 strides"),
        ([0x7FFF_FFFF, 0x7FFF_FFFF, 0x7FFF_FFFF], [1, 1, 1], 0, 4, "reaches past the end"),
        ([2, 2], [0x7FFF_FFFF, 0x7FFF_FFFF], 0, 4, "reaches past the end"),
        ([1000, 1000], [0, 0], 0, 4, "repeats elements"), ([2, 2], [1, 1], 0, 4, "repeats elements"),
        ([0, 0x4000_0000, 0x4000_0000, 0x4000_0000], [1, 1, 1, 1], 0, 4, "reaches past the end"),
        ([2, 2], [2, 1], 0, 5, "should have 5 elements"),
        ([2, 2], [2, 1], 0, -4, "differently than torch.save"),
    ])
    func aTensorThatLeavesItsStorageIsAnError(
        size: [Int32], stride: [Int32], offset: Int32, count: Int32, cause: String
    ) {
        let error = #expect(throws: ModelToolsError.self) {
            try read(tensor(count: count, offset: offset, size: size, stride: stride))
        }
        #expect(error?.cause.contains(cause) == true, "\(error?.cause ?? "")")
    }

    @Test(arguments: [
        ("os\nsystem", "os.system"), ("builtins\neval", "builtins.eval"), ("torch\nload", "torch.load"),
        ("torch.hub\nload", "torch.hub.load"), ("collections\ndeque", "collections.deque"),
        ("numpy.core.multiarray\nscalar", "numpy.core.multiarray.scalar"),
    ])
    func aGlobalThatIsNotOnTheListIsNamed(name: String, said: String) {
        let error = #expect(throws: ModelToolsError.self) { try read([0x80, 2] + global(name) + [0x2E]) }
        #expect(error?.code == .forbidden)
        #expect(error?.cause.contains(said) == true)
    }

    /// The opcodes that make instances and ask for extensions are none that a checkpoint needs.
    @Test(arguments: [0x69, 0x6F, 0x82, 0x83, 0x84, 0x92, 0x97, 0x98, 0xFF] as [UInt8])
    func anUnknownOpcodeIsAnError(opcode: UInt8) {
        let error = #expect(throws: ModelToolsError.self) { try read([0x80, 2, 0x28, opcode, 0x2E]) }
        #expect(error?.code == .forbidden)
    }

    @Test func stacksMarksAndMemosThatAreNotThereAreErrors() {
        for pickle in [
            [0x2E], [0x74, 0x2E], [0x52, 0x2E], [0x68, 7, 0x2E], [0x73, 0x2E], [0x65, 0x2E], [0x30], [0x62],
        ] {
            #expect(throws: ModelToolsError.self) { try read(pickle.map { UInt8($0) }) }
        }
    }

    @Test func listsInListsAMillionDeepAreFreedWithoutRecursion() {
        // EMPTY_LIST, MARK, EMPTY_LIST, …: each ends up in the one before.
        let depth = 600_000
        let pickle =
            [0x80, 2] + [UInt8](repeating: 0x5D, count: depth) + [UInt8](repeating: 0x61, count: depth - 1) + [0x2E]
        let error = #expect(throws: ModelToolsError.self) { try read(pickle) }
        #expect(error?.cause.contains("contains no weights") == true)
    }

    @Test func aListThatContainsItselfIsNoLoop() {
        let error = #expect(throws: ModelToolsError.self) { try read([0x80, 2, 0x5D, 0x71, 0, 0x68, 0, 0x61, 0x2E]) }
        #expect(error?.cause.contains("contains no weights") == true)
    }

    @Test func workIsBounded() {
        let long = #expect(throws: ModelToolsError.self) {
            try read([0x80, 2] + [UInt8](repeating: 0x4E, count: 2_100_000) + [0x2E])
        }
        #expect(long?.cause.contains("more than 2000000 opcodes") == true)
        // list(x) copies: a thousand copies of a long list are work too.
        var pickle: [UInt8] = [0x80, 2, 0x5D, 0x71, 0, 0x28] + [UInt8](repeating: 0x4E, count: 100_000) + [0x65, 0x30]
        for _ in 0..<1000 { pickle += global("builtins\nlist") + [0x68, 0, 0x85, 0x52, 0x4E, 0x61, 0x30] }
        let copies = #expect(throws: ModelToolsError.self) { try read(pickle + [0x4E, 0x2E]) }
        #expect(copies?.cause.contains("more than 2000000 opcodes") == true)
    }

    @Test func zipEntriesThatOverlapOrLieOutsideAreErrors() {
        var zip = StoredZip.bytes(["a/data.pkl": [0x80, 2, 0x4E, 0x2E], "a/data/0": [1, 2, 3, 4]])
        let directory = zip.count - 22 - 2 * 46 - "a/data.pkla/data/0".utf8.count
        // Both entries at the first one's place.
        for index in 0..<4 { zip[directory + 46 + "a/data.pkl".utf8.count + 42 + index] = 0 }
        #expect(throws: ModelToolsError.self) { try Checkpoint(bytes: Bytes(zip), name: "x") }
        for index in 0..<4 { zip[directory + 42 + index] = 0xFE }
        #expect(throws: ModelToolsError.self) { try Checkpoint(bytes: Bytes(zip), name: "x") }
    }

    @Test(arguments: [
        #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"v":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
        #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
        #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,800]}}"#,
        #"{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#,
        #"{"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#,
        #"{"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#,
        #"{"w":{"dtype":"F32","shape":[1,4611686018427387904,4],"data_offsets":[0,8]}}"#,
        #"{"w":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}}"#,
        #"{"w":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}"#,
        #"{"w":{"shape":[8],"data_offsets":[0,8]}}"#,
        #"{"w":7}"#, #"[]"#, #"{"#,
    ])
    func aSafetensorsHeaderThatDoesNotFitIsAnError(header: String) {
        let padded = header + String(repeating: " ", count: 8)
        let bytes =
            StoredZip.little(UInt32(padded.utf8.count)) + [0, 0, 0, 0] + Array(padded.utf8)
            + [UInt8](repeating: 0, count: 16)
        #expect(throws: ModelToolsError.self) { try Checkpoint(bytes: Bytes(bytes), name: "x.safetensors") }
    }
}

/// A ZIP file of stored entries.
enum StoredZip {
    static func little(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    private static func little(_ value: UInt16) -> [UInt8] { [UInt8(truncatingIfNeeded: value), UInt8(value >> 8)] }

    static func bytes(_ entries: [String: [UInt8]]) -> [UInt8] {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        for (name, content) in entries.sorted(by: { $0.key < $1.key }) {
            let sizes = little(UInt32(0)) + little(UInt32(content.count)) + little(UInt32(content.count))
            let nameLength = little(UInt16(name.utf8.count))
            directory +=
                little(0x0201_4B50 as UInt32) + [20, 0, 20, 0] + [UInt8](repeating: 0, count: 8) + sizes + nameLength
            directory += [UInt8](repeating: 0, count: 12) + little(UInt32(file.count)) + Array(name.utf8)
            file +=
                little(0x0403_4B50 as UInt32) + [20, 0] + [UInt8](repeating: 0, count: 8) + sizes + nameLength + [0, 0]
            file += Array(name.utf8) + content
        }
        let count = little(UInt16(entries.count))
        return file + directory + little(0x0605_4B50 as UInt32) + [0, 0, 0, 0] + count + count
            + little(UInt32(directory.count)) + little(UInt32(file.count)) + [0, 0]
    }
}
