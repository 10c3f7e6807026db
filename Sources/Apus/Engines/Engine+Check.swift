package import Engine
internal import ONNX

extension Engine {
    /// Checks a model's structure, then loads and compiles it. Every session is made this way: engines crash on some files, and
    /// read weights from wherever a model points.
    ///
    /// - Throws: `ModelFileError` if the check fails, `EngineError` if loading does.
    package func session(checked model: ModelSource, options: SessionOptions) throws -> any EngineSession {
        try model.check(weightsFolder: options.weightsFolder)
        return try makeSession(of: model, options: options)
    }
}

extension ModelSource {
    fileprivate func check(weightsFolder: String?) throws(ModelFileError) {
        switch self {
        case .file(let path): try ModelStructure.check(file: path)
        case .bytes(let bytes): try ModelStructure(Bytes(bytes)).check(weightsFolder.map { ExternalFolder(folder: $0) })
        case .embedded: break  // our own
        }
    }
}
