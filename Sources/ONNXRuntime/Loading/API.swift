internal import COnnxRuntime

/// The runtime's function table. Every call that can fail goes through `check`, which releases the status.
struct API: @unchecked Sendable {  // the table is constant and its functions may be called from any thread
    let table: UnsafePointer<OrtTable>
    let version: Int

    /// The first API version with the node assignment calls.
    static let nodeAssignmentVersion = 24
    /// The oldest API version that Apus accepts.
    static let oldestVersion = 21

    /// `OrtErrorCode` of the official header.
    enum StatusCode {
        static let invalidArgument: Int32 = 2
        static let noSuchFile: Int32 = 3
        static let invalidProtobuf: Int32 = 7
        static let invalidGraph: Int32 = 10
    }

    struct Failure: Error {
        var code: Int32
        var message: String
    }

    func check(_ status: OpaquePointer?) throws(Failure) {
        guard let status else { return }
        defer { OrtReleaseStatus(table, status) }
        let message = OrtGetErrorMessage(table, status).map { String(cString: $0) } ?? ""
        throw Failure(code: OrtGetErrorCode(table, status), message: message)
    }

    /// Calls a function that makes an object, and returns the object.
    func make(_ call: (UnsafeMutablePointer<OpaquePointer?>) -> OpaquePointer?) throws(Failure) -> OpaquePointer {
        var object: OpaquePointer?
        try check(call(&object))
        guard let object else { throw Failure(code: 0, message: "the runtime returned no object and no error") }
        return object
    }

    func count(_ call: (UnsafeMutablePointer<Int>) -> OpaquePointer?) throws(Failure) -> Int {
        var count = 0
        try check(call(&count))
        return count
    }

    /// Calls a function that returns text in memory of the default allocator.
    func text(
        _ call: (OpaquePointer, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> OpaquePointer?
    ) throws(Failure) -> String {
        let allocator = try defaultAllocator()
        var text: UnsafeMutablePointer<CChar>?
        try check(call(allocator, &text))
        guard let text else { return "" }
        defer { free(text, allocator: allocator) }
        return String(cString: text)
    }

    func defaultAllocator() throws(Failure) -> OpaquePointer {
        try make { OrtGetAllocatorWithDefaultOptions(table, $0) }
    }

    func free(_ pointer: UnsafeMutableRawPointer, allocator: OpaquePointer) {
        if let status = OrtAllocatorFree(table, allocator, pointer) { OrtReleaseStatus(table, status) }
    }
}
