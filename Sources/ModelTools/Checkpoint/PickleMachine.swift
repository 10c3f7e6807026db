internal import ONNX

/// Interprets a pickle (Python's `pickletools.py` documents the opcodes) purely as a description of data.
///
/// Globals are restricted to an allow-list (`PickleGlobal`) with fixed meanings; a pickle that names any other is an error with
/// its name. Work and memory are bounded: every opcode makes at most one value, there may be two million of them, and copies made
/// by calls count as opcodes too.
struct PickleMachine {
    /// The lists, tuples and dictionaries that were made, and the final value.
    private var sequences: [[PickleValue]] = []
    var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
    /// All storages that are referred to.
    private(set) var storages: Set<StorageReference> = []

    private var stack: [PickleValue] = []
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]
    /// The remaining work that a pickle may request. A checkpoint of 10,000 tensors needs half a million.
    private var budget = 2_000_000

    /// Runs the pickle at the reader's position, up to its end mark.
    static func run(_ reader: inout ByteReader) throws(ModelToolsError) -> (value: PickleValue, machine: PickleMachine)
    {
        var machine = PickleMachine()
        while true {
            let place = reader.position
            let opcode = try reader.byte()
            try machine.spend(1)
            if opcode == UInt8(ascii: ".") { return (try machine.pop(), machine) }
            try machine.step(opcode, &reader, place: place)
        }
    }

    // MARK: Reading what was made

    func elements(_ value: PickleValue) -> [PickleValue]? {
        switch value {
        case .tuple(let index), .list(let index): sequences[index]
        default: nil
        }
    }

    func entries(_ value: PickleValue) -> [(key: PickleValue, value: PickleValue)]? {
        if case .dict(let index) = value { dictionaries[index] } else { nil }
    }

    func entry(_ key: String, of value: PickleValue) -> PickleValue? {
        entries(value)?.last {
            if case .string(key) = $0.key { true } else { false }
        }?.value
    }

    // MARK: The stack

    mutating func spend(_ values: Int) throws(ModelToolsError) {
        budget -= values
        guard budget >= 0 else {
            throw ModelToolsError(
                .forbidden, "its pickle has more than 2000000 opcodes, which no checkpoint needs",
                remedy: PickleMachine.remedy)
        }
    }

    private mutating func pop() throws(ModelToolsError) -> PickleValue {
        guard stack.count > (marks.last ?? 0) else { throw .malformed("the pickle pops from an empty stack") }
        return stack.removeLast()
    }

    private func top() throws(ModelToolsError) -> PickleValue {
        guard stack.count > (marks.last ?? 0), let value = stack.last else {
            throw .malformed("the pickle reads an empty stack")
        }
        return value
    }

    private mutating func popMarked() throws(ModelToolsError) -> [PickleValue] {
        guard let mark = marks.popLast() else { throw .malformed("the pickle pops a mark that it never set") }
        let values = Array(stack[mark...])
        stack.removeLast(values.count)
        return values
    }

    mutating func sequence(_ values: [PickleValue]) -> Int {
        sequences.append(values)
        return sequences.count - 1
    }

    mutating func dictionary(_ entries: [(key: PickleValue, value: PickleValue)] = []) -> Int {
        dictionaries.append(entries)
        return dictionaries.count - 1
    }

    private static func pairs(
        _ values: [PickleValue]
    ) throws(ModelToolsError) -> [(key: PickleValue, value: PickleValue)] {
        guard values.count.isMultiple(of: 2) else { throw .malformed("the pickle sets a key without a value") }
        return stride(from: 0, to: values.count, by: 2).map { (values[$0], values[$0 + 1]) }
    }

    private mutating func remember(_ index: Int) throws(ModelToolsError) { memo[index] = try top() }

    private func recall(_ index: Int) throws(ModelToolsError) -> PickleValue {
        guard let value = memo[index] else {
            throw .malformed("the pickle recalls entry \(index), which it never stored")
        }
        return value
    }

    // MARK: Opcodes

    private mutating func step(_ opcode: UInt8, _ reader: inout ByteReader, place: Int) throws(ModelToolsError) {
        switch Character(UnicodeScalar(opcode)) {
        case "\u{80}":  // PROTO
            let version = try reader.byte()
            guard version <= 5 else { throw .malformed("the pickle uses protocol \(version); the newest is 5") }
        case "\u{95}": _ = try reader.take(8)  // FRAME: a hint about sizes
        case "(": marks.append(stack.count)
        case "0": _ = try pop()
        case "1": _ = try popMarked()
        case "2": stack.append(try top())
        case "N": stack.append(.none)
        case "\u{88}": stack.append(.bool(true))
        case "\u{89}": stack.append(.bool(false))
        case "I", "L": stack.append(try decimal(reader.line()))
        case "J": stack.append(.int(Int(try reader.number(Int32.self))))
        case "K": stack.append(.int(Int(try reader.byte())))
        case "M": stack.append(.int(Int(try reader.number(UInt16.self))))
        case "\u{8A}": stack.append(long(try reader.take(Int(try reader.byte()))))
        case "\u{8B}": stack.append(long(try reader.take(Int(try reader.number(Int32.self)))))
        case "F":
            guard let value = try reader.line().text.flatMap(Double.init) else {
                throw .malformed("the pickle has an invalid number at byte \(place)")
            }
            stack.append(.float(value))
        case "G": stack.append(.float(Double(bitPattern: UInt64(bigEndian: UInt64(littleEndian: try reader.number())))))
        case "S": stack.append(try quoted(reader.line()))
        case "U": stack.append(try text(reader.take(Int(try reader.byte()))))
        case "T": stack.append(try text(reader.take(Int(try reader.number(Int32.self)))))
        case "V": stack.append(try text(reader.line()))
        case "\u{8C}": stack.append(try text(reader.take(Int(try reader.byte()))))
        case "X": stack.append(try text(reader.take(Int(try reader.number(UInt32.self)))))
        case "\u{8D}": stack.append(try text(reader.take(try reader.length())))
        case "C": stack.append(.bytes(try reader.take(Int(try reader.byte()))))
        case "B": stack.append(.bytes(try reader.take(Int(try reader.number(UInt32.self)))))
        case "\u{8E}", "\u{96}": stack.append(.bytes(try reader.take(try reader.length())))
        default: try stepContainer(opcode, &reader, place: place)
        }
    }

    private mutating func stepContainer(
        _ opcode: UInt8, _ reader: inout ByteReader, place: Int
    ) throws(ModelToolsError) {
        switch Character(UnicodeScalar(opcode)) {
        case ")": stack.append(.tuple(sequence([])))
        case "t": stack.append(.tuple(sequence(try popMarked())))
        case "\u{85}", "\u{86}", "\u{87}":  // TUPLE1 to TUPLE3
            var values: [PickleValue] = []
            for _ in 0...(Int(opcode) - 0x85) { values.append(try pop()) }
            stack.append(.tuple(sequence(values.reversed())))
        case "]", "\u{8F}": stack.append(.list(sequence([])))  // a set is a list here
        case "l", "\u{91}": stack.append(.list(sequence(try popMarked())))
        case "a": try append([try pop()])
        case "e", "\u{90}": try append(try popMarked())
        case "}": stack.append(.dict(dictionary()))
        case "d": stack.append(.dict(dictionary(try PickleMachine.pairs(try popMarked()))))
        case "s":
            let value = try pop()
            try set([(try pop(), value)])
        case "u": try set(try PickleMachine.pairs(try popMarked()))
        case "c": stack.append(.global(try PickleMachine.global(try reader.line().text, try reader.line().text)))
        case "\u{93}":
            guard case .string(let name) = try pop(), case .string(let module) = try pop() else {
                throw .malformed("the pickle names a global without a name")
            }
            stack.append(.global(try PickleMachine.global(module, name)))
        case "R", "\u{81}":  // REDUCE, NEWOBJ
            let arguments = try pop()
            stack.append(try call(try pop(), arguments))
        case "b":
            let state = try pop()
            try build(try top(), state)
        case "Q":
            // Popped first: as an argument it would be popped while a copy of this machine waits for the call.
            let id = try pop()
            let storage = try storage(id)
            storages.insert(storage)
            stack.append(.storage(storage))
        default: try stepMemo(opcode, &reader, place: place)
        }
    }

    private mutating func stepMemo(_ opcode: UInt8, _ reader: inout ByteReader, place: Int) throws(ModelToolsError) {
        switch Character(UnicodeScalar(opcode)) {
        case "p": try remember(try index(reader.line()))
        case "q": try remember(Int(try reader.byte()))
        case "r": try remember(Int(try reader.number(UInt32.self)))
        case "\u{94}": try remember(memo.count)
        case "g": stack.append(try recall(try index(reader.line())))
        case "h": stack.append(try recall(Int(try reader.byte())))
        case "j": stack.append(try recall(Int(try reader.number(UInt32.self))))
        default:
            let name = String(opcode, radix: 16)
            throw ModelToolsError(
                .forbidden, "its pickle has the opcode 0x\(name) at byte \(place), which no checkpoint needs",
                remedy: PickleMachine.remedy)
        }
    }

    private mutating func append(_ values: [PickleValue]) throws(ModelToolsError) {
        guard case .list(let index) = try top() else {
            throw .malformed("the pickle appends to something that is not a list")
        }
        sequences[index] += values
    }

    private mutating func set(_ entries: [(key: PickleValue, value: PickleValue)]) throws(ModelToolsError) {
        guard case .dict(let index) = try top() else {
            throw .malformed("the pickle sets a key of something that is not a dict")
        }
        dictionaries[index] += entries
    }

    // MARK: Scalars

    private func decimal(_ line: Bytes) throws(ModelToolsError) -> PickleValue {
        guard var text = line.text else { throw .malformed("the pickle has an invalid number") }
        if text == "00" { return .bool(false) }
        if text == "01" { return .bool(true) }
        if text.hasSuffix("L") { text.removeLast() }
        return Int(text).map { .int($0) } ?? .opaque
    }

    /// A little-endian number of arbitrary length.
    private func long(_ bytes: Bytes) -> PickleValue {
        guard bytes.count <= 8 else { return .opaque }
        let raw = bytes.array
        var value: UInt64 = raw.last.map { $0 & 0x80 != 0 } == true ? .max : 0
        for byte in raw.reversed() { value = value << 8 | UInt64(byte) }
        return .int(Int(Int64(bitPattern: value)))
    }

    private func text(_ bytes: Bytes) throws(ModelToolsError) -> PickleValue {
        guard let text = bytes.text else { throw .malformed("the pickle has text that is not UTF-8") }
        return .string(text)
    }

    /// Protocol 0's strings, in Python's quotes. Escapes are kept as they are: no relevant key has one.
    private func quoted(_ line: Bytes) throws(ModelToolsError) -> PickleValue {
        guard let text = line.text, text.count >= 2, let quote = text.first, "'\"".contains(quote), text.last == quote
        else { throw .malformed("the pickle has a string without quotes") }
        return .string(String(text.dropFirst().dropLast()))
    }

    private func index(_ line: Bytes) throws(ModelToolsError) -> Int {
        guard let index = line.text.flatMap({ Int($0) }) else {
            throw .malformed("the pickle has a memo without a number")
        }
        return index
    }
}
