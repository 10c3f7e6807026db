// A libFuzzer target: reads every input as a client's form, with the boundary on the first line.

import FormData
import FuzzSupport

private let budget = CPUBudget()

/// libFuzzer's entry point: one input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    budget.run(bytes, count, read)
}

private func read(_ input: [UInt8]) {
    let line = input.prefix { $0 != 10 }
    let type = String(decoding: line, as: UTF8.self)
    let boundary = Multipart.boundary(of: type) ?? type
    let body = Array(input.dropFirst(line.count + 1))
    guard let form = try? Multipart(body, boundary: boundary) else { return }
    for part in form.parts {
        guard part.content.lowerBound >= 0, part.content.upperBound <= body.count else {
            preconditionFailure("a part outside the body")
        }
    }
}
