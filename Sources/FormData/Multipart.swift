internal import Foundation

/// Parses a complete multipart/form-data body (RFC 7578, RFC 2046).
package struct Multipart: Sendable {
    package struct Part: Sendable, Equatable {
        package var name: String
        package var filename: String?
        package var contentType: String?
        /// The range of its content in the body.
        package var content: Range<Int>
    }

    /// Why a body is invalid.
    package struct Failure: Error, Equatable {
        package var cause: String

        package init(cause: String) { self.cause = cause }
    }

    /// The maximum number of parts.
    private static let mostParts = 100
    private static let longestHead = 8192

    package var parts: [Part]

    /// - Parameter boundary: 1 to 70 bytes, without the two leading hyphens.
    package init(_ body: [UInt8], boundary: String) throws(Failure) {
        guard (1...70).contains(boundary.utf8.count) else {
            throw Failure(cause: "the boundary is not 1 to 70 bytes")
        }
        let delimiter = Array("\r\n--\(boundary)".utf8)
        parts = []
        // The first delimiter may be at the start of the body.
        var position: Int
        if body.starts(with: delimiter.dropFirst(2)) {
            position = delimiter.count - 2
        } else if let first = Multipart.find(delimiter, in: body, from: 0) {
            position = first + delimiter.count
        } else {
            throw Failure(cause: "the boundary of the Content-Type is not in the body")
        }
        while true {
            if body.starts(with: [0x2d, 0x2d], at: position) { return }  // the end
            // Spaces may follow a delimiter.
            while position < body.count, body[position] == 0x20 || body[position] == 0x09 { position += 1 }
            guard body.starts(with: [0x0d, 0x0a], at: position) else {
                throw Failure(cause: "a delimiter does not end its line")
            }
            position += 2
            guard parts.count < Multipart.mostParts else {
                throw Failure(cause: "it has more than \(Multipart.mostParts) parts")
            }
            let (head, start) = try Multipart.head(body, from: position)
            // An empty part's content is preceded directly by the delimiter's line break.
            guard let end = Multipart.find(delimiter, in: body, from: start - 2) else {
                throw Failure(cause: "the last part is not terminated: the body is truncated")
            }
            parts.append(try Multipart.part(head, content: start..<max(start, end)))
            position = end + delimiter.count
        }
    }

    /// The boundary parameter of a multipart/form-data Content-Type; nil for another type.
    package static func boundary(of contentType: String) -> String? {
        let pieces = fields(contentType)
        guard pieces.first?.lowercased() == "multipart/form-data" else { return nil }
        return parameter("boundary", in: pieces)
    }

    private static func head(
        _ body: [UInt8], from start: Int
    ) throws(Failure) -> (lines: [String], content: Int) {
        // A part without headers starts with an empty line.
        if body.starts(with: [0x0d, 0x0a], at: start) { return ([], start + 2) }
        guard let end = find([0x0d, 0x0a, 0x0d, 0x0a], in: body, from: start, limit: longestHead) else {
            throw Failure(cause: "a part's headers do not end within \(longestHead) bytes")
        }
        let text = String(decoding: body[start..<end], as: UTF8.self)
        return (text.split(separator: "\r\n").map(String.init), end + 4)
    }

    private static func part(_ lines: [String], content: Range<Int>) throws(Failure) -> Part {
        var part = Part(name: "", filename: nil, contentType: nil, content: content)
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { throw Failure(cause: "a part's header has no colon") }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            switch line[..<colon].lowercased() {
            case "content-disposition":
                let pieces = fields(String(value))
                guard pieces.first?.lowercased() == "form-data" else {
                    throw Failure(cause: "a part is not form-data")
                }
                part.name = parameter("name", in: pieces) ?? ""
                part.filename = parameter("filename", in: pieces)
            case "content-type": part.contentType = String(value)
            case "content-transfer-encoding" where !["binary", "8bit", "7bit"].contains(value.lowercased()):
                throw Failure(cause: "a part has the encoding \(value.prefix(40)), which forms do not allow")
            default: break
            }
        }
        return part
    }

    /// Splits at semicolons outside quotes.
    private static func fields(_ value: String) -> [String] {
        var fields = [""]
        var isQuoted = false
        var isEscaped = false
        for character in value {
            if isEscaped {
                isEscaped = false
            } else if character == "\\", isQuoted {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if character == ";", !isQuoted {
                fields.append("")
                continue
            }
            fields[fields.count - 1].append(character)
        }
        return fields.map { String($0.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " }.reversed()) }
    }

    private static func parameter(_ name: String, in fields: [String]) -> String? {
        for field in fields.dropFirst() {
            guard let equals = field.firstIndex(of: "="), field[..<equals].lowercased() == name else { continue }
            let value = field[field.index(after: equals)...]
            guard value.hasPrefix("\"") else { return String(value) }
            var text = ""
            var isEscaped = false
            for character in value.dropFirst() {
                if isEscaped || (character != "\\" && character != "\"") {
                    text.append(character)
                    isEscaped = false
                } else if character == "\\" {
                    isEscaped = true
                } else {
                    break
                }
            }
            return text
        }
        return nil
    }

    /// The first occurrence of `pattern` at or after `start`. Uses memchr: images are megabytes, and few of their bytes match
    /// the delimiter's first one.
    private static func find(_ pattern: [UInt8], in body: [UInt8], from start: Int, limit: Int = .max) -> Int? {
        body.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return nil }
            var position = max(0, start)
            let end = min(bytes.count, limit == .max ? .max : position + limit + pattern.count)
            while position <= end - pattern.count, let hit = memchr(base + position, Int32(pattern[0]), end - position)
            {
                position = base.distance(to: UnsafeRawPointer(hit))
                guard position <= end - pattern.count else { return nil }
                if memcmp(hit, pattern, pattern.count) == 0 { return position }
                position += 1
            }
            return nil
        }
    }
}

extension [UInt8] {
    fileprivate func starts(with bytes: [UInt8], at position: Int) -> Bool {
        position >= 0 && position <= count - bytes.count
            && self[position..<(position + bytes.count)].elementsEqual(bytes)
    }
}
