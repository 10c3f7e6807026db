internal import Files
internal import Foundation
internal import Remedies

/// A range of bytes in memory that keeps its owner alive. Slicing copies nothing.
package struct Bytes: Sendable {
    /// Memory that stays unchanged until its last slice is released.
    private final class Owner: @unchecked Sendable {  // never written to
        let base: UnsafeMutableRawPointer?
        let count: Int
        let memory: Memory
        /// The path of the mapped file; nil for other memory.
        var path: String? { if case .mapped(let path) = memory { path } else { nil } }

        init(base: UnsafeMutableRawPointer?, count: Int, _ memory: Memory) {
            self.base = base
            self.count = count
            self.memory = memory
        }

        deinit {
            switch memory {
            case .mapped: if let base { munmap(base, count) }
            case .own: base?.deallocate()
            case .permanent: break
            }
        }
    }

    /// How memory is released.
    private enum Memory {
        case own
        case mapped(path: String)
        /// Part of the program.
        case permanent
    }

    private let owner: Owner
    private let offset: Int
    package let count: Int

    private init(owner: Owner, offset: Int, count: Int) {
        self.owner = owner
        self.offset = offset
        self.count = count
    }

    package init(_ array: [UInt8]) {
        let base = UnsafeMutableRawPointer.allocate(byteCount: max(1, array.count), alignment: 16)
        array.withUnsafeBytes { if let source = $0.baseAddress { base.copyMemory(from: source, byteCount: $0.count) } }
        self.init(owner: Owner(base: base, count: array.count, .own), offset: 0, count: array.count)
    }

    /// Bytes that are part of the program; not copied.
    package init(permanent bytes: UnsafeRawBufferPointer) {
        let base = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
        self.init(owner: Owner(base: base, count: bytes.count, .permanent), offset: 0, count: bytes.count)
    }

    /// Maps a file: its pages are loaded as they are read, and need no memory of their own.
    package init(mapping path: String) throws(ModelFileError) {
        let file: RegularFile
        do {
            file = try RegularFile(path)
        } catch {
            throw ModelFileError(.file, BoundedText(error.cause), remedy: Remedy(error.remedy))
        }
        let count = file.size
        guard count > 0 else {
            throw ModelFileError(
                .malformed, "the file is empty", remedy: "Its download or copy may be incomplete: download it again.")
        }
        guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, file.descriptor, 0), base != MAP_FAILED else {
            let error = FileError(errno: errno, path: path)
            throw ModelFileError(.file, BoundedText(error.cause), remedy: Remedy(error.remedy))
        }
        let path = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        self.init(owner: Owner(base: base, count: count, .mapped(path: path)), offset: 0, count: count)
    }

    /// The position of the bytes in their file; nil if they are not mapped.
    package var origin: (path: String, offset: Int)? { owner.path.map { ($0, offset) } }

    /// Releases the memory of the mapped pages. They are loaded again when read.
    package func release() {
        guard owner.path != nil, let base = owner.base else { return }
        let page = 4096
        let start = offset / page * page
        madvise(base + start, offset + count - start, MADV_DONTNEED)
    }

    /// Releases the memory if there is much of it; small ranges aren't worth it.
    package func releaseIfLarge() { if count >= 1 << 24 { release() } }

    /// The bytes at `range`, which must be in bounds.
    package func slice(_ range: Range<Int>) -> Bytes {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "a slice is within its bytes")
        return Bytes(owner: owner, offset: offset + range.lowerBound, count: range.count)
    }

    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(owner) {} }
        return try body(UnsafeRawBufferPointer(start: owner.base.map { $0 + offset }, count: count))
    }

    package var array: [UInt8] { withUnsafeBytes { Array($0) } }

    /// The bytes as text; nil if they are not UTF-8.
    package var text: String? { withUnsafeBytes { String(validating: $0, as: UTF8.self) } }
}
