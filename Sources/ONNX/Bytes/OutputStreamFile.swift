internal import Foundation
internal import Remedies

/// The destination of a model's bytes.
protocol PayloadSink: AnyObject {
    var count: Int { get }
    func write(_ bytes: ArraySlice<UInt8>) throws(ModelFileError)
    func write(_ payload: ONNXTensor.Payload) throws(ModelFileError)
}

/// Memory.
final class ByteSink: PayloadSink {
    private(set) var bytes: [UInt8] = []
    var count: Int { bytes.count }

    func write(_ bytes: ArraySlice<UInt8>) { self.bytes += bytes }

    func write(_ payload: ONNXTensor.Payload) {
        switch payload {
        case .raw(let content): content.withUnsafeBytes { bytes += $0 }
        case .computed(_, let compute): bytes += compute()
        case .strings, .external: preconditionFailure("written as fields")
        }
    }
}

/// A file that is written in pieces and appears under its name only when complete.
final class OutputStreamFile: PayloadSink {
    private let path: String
    /// Nil if the path is not a regular file (a pipe, say), which is written directly.
    private let partial: String?
    private var descriptor: Int32
    private var buffer: [UInt8] = []
    private(set) var count = 0

    init(_ path: String) throws(ModelFileError) {
        // Follow a link, so that it keeps pointing to the file.
        let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        self.path = resolved
        var status = stat()
        let isSpecial = stat(resolved, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
        partial = isSpecial ? nil : "\(resolved).partial-\(getpid())"
        descriptor = open(partial ?? resolved, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw OutputStreamFile.failure(path) }
        buffer.reserveCapacity(1 << 20)
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        if let partial { unlink(partial) }
    }

    func write(_ bytes: ArraySlice<UInt8>) throws(ModelFileError) {
        count += bytes.count
        if buffer.count + bytes.count <= 1 << 20 {
            buffer += bytes
        } else {
            try flush()
            try bytes.withUnsafeBytesTyped { pointer throws(ModelFileError) in try put(pointer) }
        }
    }

    func write(_ payload: ONNXTensor.Payload) throws(ModelFileError) {
        switch payload {
        case .raw(let bytes):
            count += bytes.count
            try flush()
            try bytes.withUnsafeBytes { pointer throws(ModelFileError) in try put(pointer) }
            bytes.release()
        case .computed(_, let compute): try write(compute()[...])
        case .strings, .external: preconditionFailure("written as fields")
        }
    }

    func pad(to offset: Int) throws(ModelFileError) {
        try write([UInt8](repeating: 0, count: offset - count)[...])
    }

    /// Renames the file to its final name.
    func commit() throws(ModelFileError) {
        try flush()
        let closed = close(descriptor)
        descriptor = -1
        guard closed == 0 else { throw OutputStreamFile.failure(path) }
        if let partial, rename(partial, path) != 0 {
            let error = OutputStreamFile.failure(path)
            unlink(partial)
            throw error
        }
    }

    private func flush() throws(ModelFileError) {
        let pending = buffer
        buffer.removeAll(keepingCapacity: true)
        try pending[...].withUnsafeBytesTyped { pointer throws(ModelFileError) in try put(pointer) }
    }

    private func put(_ bytes: UnsafeRawBufferPointer) throws(ModelFileError) {
        var rest = bytes
        while let base = rest.baseAddress, !rest.isEmpty {
            let written = Foundation.write(descriptor, base, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                throw OutputStreamFile.failure(path)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
    }

    private static func failure(_ path: String) -> ModelFileError {
        ModelFileError(
            .file, "\(path): \(String(cString: strerror(errno)))",
            remedy: "Make sure that the folder exists, that the disk has space, and that you may write there.")
    }
}

extension ArraySlice<UInt8> {
    /// `withUnsafeBytes` that preserves the type of the thrown error.
    fileprivate func withUnsafeBytesTyped(
        _ body: (UnsafeRawBufferPointer) throws(ModelFileError) -> Void
    ) throws(ModelFileError) {
        var failure: ModelFileError?
        withUnsafeBytes { bytes in
            do throws(ModelFileError) { try body(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
