// A libFuzzer target: every input is read as a form that a client sent, its first line being the boundary.

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
            preconditionFailure("a part that is not in the body")
        }
    }
}
