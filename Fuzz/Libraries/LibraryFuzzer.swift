// A libFuzzer target: every input is read as a shared library.

import Hardware

/// libFuzzer's entry point: one input is a library, which is read and not loaded (`apus doctor`).
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzLibrary(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    _ = try? ELFFile(bytes: Array(UnsafeBufferPointer(start: bytes, count: count)), path: "/library.so")
    return 0
}
