// A libFuzzer target: every input is read as a shared library.

import FuzzSupport
import Hardware

private let budget = CPUBudget()

/// libFuzzer's entry point: one input is a library, which is read and not loaded (`apus doctor`).
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzLibrary(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    budget.run(bytes, count) { input in _ = try? ELFFile(bytes: input, path: "/library.so") }
}
