internal import COnnxRuntime
internal import Engine

/// An output allocated by the runtime. It retains the session, whose allocator owns the memory.
final class RuntimeBuffer: TensorStorage, @unchecked Sendable {  // the runtime does not touch it any more
    let bytes: UnsafeRawBufferPointer
    private let value: OpaquePointer
    private let session: Session

    init(value: OpaquePointer, bytes: UnsafeRawBufferPointer, session: Session) {
        self.value = value
        self.bytes = bytes
        self.session = session
    }

    deinit { OrtReleaseValue(session.runtime.api.table, value) }
}
