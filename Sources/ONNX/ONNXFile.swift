internal import Foundation
internal import Remedies

/// Reads and writes model files, including weights in separate files.
package enum ONNXFile {
    /// The max size of a protobuf message. A larger model keeps its weights in a second file.
    package static let maxBytes = Int(Int32.max)

    /// Maps a model and its weights files, after checking its structure (`ModelStructure`).
    package static func read(_ path: String) throws(ModelFileError) -> ONNXModel {
        let bytes = try Bytes(mapping: path)
        _ = try ModelStructure(bytes)
        var model = try ONNXModel(bytes)
        var files = ExternalFiles(ExternalFolder(ofModel: path))
        try model.graph.resolve(&files)
        for index in model.functions.indices {
            for node in model.functions[index].nodes.indices { try model.functions[index].nodes[node].resolve(&files) }
            for attribute in model.functions[index].attributeDefaults.indices {
                try model.functions[index].attributeDefaults[attribute].resolve(&files)
            }
        }
        return model
    }

    /// A model without its external weights, after checking its structure.
    package static func structure(of path: String) throws(ModelFileError) -> ONNXModel {
        try ModelStructure.check(file: path)
        return try ONNXModel(Bytes(mapping: path))
    }

    package static func structure(of bytes: Bytes) throws(ModelFileError) -> ONNXModel {
        try ModelStructure(bytes).check(nil)
        return try ONNXModel(bytes)
    }

    package struct Written: Sendable {
        package var bytes: Int
        /// The second file, if the model needs one.
        package var dataPath: String?
        package var dataBytes = 0
    }

    /// Writes a model atomically. A model too large for a single file gets a second one in the same folder: `dataPath`, or
    /// `path`.data.
    @discardableResult
    package static func write(
        _ model: ONNXModel, to path: String, dataPath: String? = nil, maxBytes: Int = maxBytes,
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws(ModelFileError) -> Written {
        var writer = model.written()
        if writer.count <= maxBytes {
            try save(writer, to: path, progress: progress)
            return Written(bytes: writer.count)
        }
        let dataPath = dataPath ?? path + ".data"
        var moved = model
        var data = ExternalData(location: URL(fileURLWithPath: dataPath).lastPathComponent)
        moved.graph.moveTensors(to: &data)
        writer = moved.written()
        guard writer.count <= maxBytes else {
            throw ModelFileError(
                .unsupported,
                "without its weights the model has \(writer.count) bytes; the format's limit is \(maxBytes)",
                remedy: "Split the model, or export it with fewer constants in its nodes.")
        }
        let file = try OutputStreamFile(dataPath)
        for (offset, payload) in data.contents {
            try file.pad(to: offset)
            try file.write(payload)
        }
        // The weights first: a model is useless without them.
        try file.commit()
        try save(writer, to: path, progress: progress)
        return Written(bytes: writer.count, dataPath: dataPath, dataBytes: data.end)
    }

    /// A model's bytes without the weights, which stay in the files from which they are mapped; load it with `weightsFolder` "/".
    /// Loading such a model copies no weights.
    package static func skeleton(_ model: ONNXModel) throws(ModelFileError) -> [UInt8] {
        var model = model
        for index in model.graph.initializers.indices { model.graph.initializers[index].pointToItsFile() }
        let file = ByteSink()
        try emit(model.written(), to: file)
        return file.bytes
    }

    private static func save(
        _ writer: ProtobufWriter, to path: String, progress: (Int, Int) -> Void
    ) throws(ModelFileError) {
        let file = try OutputStreamFile(path)
        try emit(writer, to: file, progress: progress)
        guard file.count == writer.count else {
            throw ModelFileError(
                .types, "a tensor's number of elements does not match its type",
                remedy: "Please report this and attach the model.")
        }
        try file.commit()
    }

    private static func emit(
        _ writer: ProtobufWriter, to sink: some PayloadSink, progress: (Int, Int) -> Void = { _, _ in }
    ) throws(ModelFileError) {
        var place = 0
        for insert in writer.inserts {
            try sink.write(writer.pieces[place..<insert.place])
            try sink.write(insert.content)
            place = insert.place
            progress(sink.count, writer.count)
        }
        try sink.write(writer.pieces[place...])
    }
}

extension ONNXTensor {
    /// Refers to the mapped file for contents that lie in it.
    fileprivate mutating func pointToItsFile() {
        guard case .raw(let bytes) = payload, bytes.count >= 1024, let origin = bytes.origin else { return }
        payload = .external(location: String(origin.path.dropFirst()), offset: origin.offset, length: bytes.count)
    }
}

/// The contents of a second file, in order.
private struct ExternalData {
    let location: String
    private(set) var contents: [(offset: Int, payload: ONNXTensor.Payload)] = []
    private(set) var end = 0

    init(location: String) { self.location = location }

    /// Moves a tensor's elements here, unless there are so few that they can stay.
    mutating func take(_ tensor: inout ONNXTensor) {
        guard tensor.byteCount >= 1024 else { return }
        switch tensor.payload {
        case .strings, .external: return
        case .raw, .computed: break
        }
        // Page-aligned, so that the file can be mapped.
        let offset = (end + 4095) / 4096 * 4096
        let length = tensor.byteCount
        contents.append((offset, tensor.payload))
        tensor.payload = .external(location: location, offset: offset, length: length)
        end = offset + length
    }
}

extension Graph {
    fileprivate mutating func moveTensors(to data: inout ExternalData) {
        for index in initializers.indices { data.take(&initializers[index]) }
        for node in nodes.indices {
            nodes[node].mapSubgraphs { $0.moveTensors(to: &data) }
            for index in nodes[node].attributes.indices {
                guard case .tensor(var tensor) = nodes[node].attributes[index].value else { continue }
                data.take(&tensor)
                nodes[node].attributes[index].value = .tensor(tensor)
            }
        }
    }

    fileprivate mutating func resolve(_ files: inout ExternalFiles) throws(ModelFileError) {
        for index in initializers.indices { try files.resolve(&initializers[index]) }
        for index in sparseInitializers.indices {
            try files.resolve(&sparseInitializers[index].values)
            try files.resolve(&sparseInitializers[index].indices)
        }
        for index in nodes.indices { try nodes[index].resolve(&files) }
    }
}

extension Node {
    fileprivate mutating func resolve(_ files: inout ExternalFiles) throws(ModelFileError) {
        try mapSubgraphs { graph throws(ModelFileError) in try graph.resolve(&files) }
        for index in attributes.indices { try attributes[index].resolve(&files) }
    }
}

extension Attribute {
    fileprivate mutating func resolve(_ files: inout ExternalFiles) throws(ModelFileError) {
        switch value {
        case .tensor(var tensor):
            try files.resolve(&tensor)
            value = .tensor(tensor)
        case .tensors(var tensors):
            for index in tensors.indices { try files.resolve(&tensors[index]) }
            value = .tensors(tensors)
        case .sparseTensor(var sparse):
            try files.resolve(&sparse.values)
            try files.resolve(&sparse.indices)
            value = .sparseTensor(sparse)
        default: break
        }
    }
}

/// The files next to a model, mapped as needed.
private struct ExternalFiles {
    private let folder: ExternalFolder
    private var mapped: [String: Bytes] = [:]

    init(_ folder: ExternalFolder) { self.folder = folder }

    mutating func resolve(_ tensor: inout ONNXTensor) throws(ModelFileError) {
        guard case .external(let location, let offset, let length) = tensor.payload else { return }
        let file: Bytes
        if let known = mapped[location] {
            file = known
        } else {
            file = try Bytes(mapping: folder.path(of: location))
            mapped[location] = file
        }
        guard let expected = tensor.type.byteCount(tensor.count), length == nil || length == expected,
            offset <= file.count, expected <= file.count - offset
        else {
            throw ModelFileError(
                .malformed, "the tensor \(tensor.name) is out of bounds in \(location), which has \(file.count) bytes",
                remedy: "The file may be incomplete, or belong to another model: download it again.")
        }
        tensor.payload = .raw(file.slice(offset..<(offset + expected)))
    }
}
