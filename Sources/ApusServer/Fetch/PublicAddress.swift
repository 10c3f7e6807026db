internal import Glibc
package import NIOCore

/// Which addresses are public, according to IANA's special-purpose registries (RFC 6890 and successors).
package enum PublicAddress {
    package static func isPublic(_ address: SocketAddress) -> Bool {
        switch address {
        case .v4(let v4):
            let number = v4.address.sin_addr.s_addr.bigEndian
            return !notPublic.contains { number >> $0.shift == $0.prefix >> $0.shift }
        case .v6(let v6):
            return withUnsafeBytes(of: v6.address.sin6_addr) { bytes in
                let (first, second) = (
                    UInt16(bytes[0]) << 8 | UInt16(bytes[1]), UInt16(bytes[2]) << 8 | UInt16(bytes[3])
                )
                // Only 2000::/3 is allocated; excluding 2001::/23 (protocols, Teredo), 2001:db8::/32 and 3fff::/20
                // (documentation), 2002::/16 (6to4, which embeds an IPv4 address).
                guard first >> 13 == 1 else { return false }
                if first == 0x2001 { return second >= 0x0200 && second != 0x0db8 }
                return first != 0x2002 && !(first == 0x3fff && second >> 12 == 0)
            }
        case .unixDomainSocket: return false
        }
    }

    private struct Block {
        var prefix: UInt32
        var shift: UInt32

        init(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ bits: UInt32) {
            prefix = a << 24 | b << 16 | c << 8 | d
            shift = 32 - bits
        }
    }

    private static let notPublic = [
        Block(0, 0, 0, 0, 8), Block(10, 0, 0, 0, 8), Block(100, 64, 0, 0, 10), Block(127, 0, 0, 0, 8),
        Block(169, 254, 0, 0, 16), Block(172, 16, 0, 0, 12), Block(192, 0, 0, 0, 24), Block(192, 0, 2, 0, 24),
        Block(192, 88, 99, 0, 24), Block(192, 168, 0, 0, 16), Block(198, 18, 0, 0, 15), Block(198, 51, 100, 0, 24),
        Block(203, 0, 113, 0, 24), Block(224, 0, 0, 0, 4), Block(240, 0, 0, 0, 4),
    ]
}
