/// A host and a port, as in the `Host` header (RFC 3986, 3.2).
///
/// Parsed byte by byte: a regular expression costs more than the rest of a rejected request.
package struct Authority: Equatable {
    /// Without the brackets of an IPv6 address.
    package let host: Substring
    package let isBracketed: Bool
    /// Digits only; nil without a colon.
    package let port: Substring?

    /// Nil if the text has another form. Does not check the characters of the host.
    package init?(_ text: String) {
        let end: String.Index
        if text.utf8.first == UInt8(ascii: "[") {
            guard let bracket = text.utf8.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            isBracketed = true
            host = text[text.utf8.index(after: text.startIndex)..<bracket]
            end = text.utf8.index(after: bracket)
        } else {
            end = text.utf8.firstIndex(of: UInt8(ascii: ":")) ?? text.endIndex
            isBracketed = false
            host = text[..<end]
            guard !host.utf8.contains(where: { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "]") }) else { return nil }
        }
        guard end < text.endIndex else {
            port = nil
            return
        }
        let digits = text[text.utf8.index(after: end)...]
        guard text.utf8[end] == UInt8(ascii: ":"), digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        port = digits
    }

    /// Whether the host consists of characters of a registered name or an address, and the port has at most five digits.
    package var isValid: Bool {
        let others = isBracketed ? ":.%_~-" : ".%_~!$&'()*+;=-"
        return (port?.utf8.count ?? 0) <= 5
            && host.utf8.allSatisfy { byte in
                0x30...0x39 ~= byte || 0x41...0x5a ~= byte || 0x61...0x7a ~= byte || others.utf8.contains(byte)
            }
    }
}
