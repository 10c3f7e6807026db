internal import Foundation

/// An encoded status message: percent-encoded outside printable ASCII, and short, as all response headers must fit into one
/// frame.
enum GRPCMessage {
    /// Whether a content-type is gRPC with Protocol Buffers messages.
    static func isContentType(_ type: String) -> Bool {
        let name = type.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
        return name == "application/grpc" || name == "application/grpc+proto"
    }

    private static let limit = 1024

    static func short(_ text: String) -> String {
        text.utf8.count <= limit ? text : String(text.unicodeScalars.prefix(limit / 4)) + "…"
    }

    static func encoded(_ text: String) -> String {
        short(text).utf8.reduce(into: "") { encoded, byte in
            if (0x20...0x7e).contains(byte), byte != 0x25 {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                encoded += String(format: "%%%02X", byte)
            }
        }
    }
}
