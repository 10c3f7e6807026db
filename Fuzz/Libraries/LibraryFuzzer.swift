// A libFuzzer target: reads every input as a shared library.

import FuzzSupport
import Hardware

private let budget = CPUBudget()

/// libFuzzer's entry point: one library, read but not loaded (`apus doctor`).
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzLibrary(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    budget.run(bytes, count) { input in _ = try? ELFFile(bytes: input, path: "/library.so") }
}
