import ApusServer
import Testing

@Suite struct AuthorityTests {
    private static let texts: [String] = {
        let hosts = [
            "", "localhost", "example.com", "EXAMPLE.com", "127.0.0.1", "[::1]", "[fe80::1%25eth0]", "[]", "[", "]",
            "[::1", "::1", "a b", "a/b", "a@b", "ä.example", "a_b~c!$&'()*+;=-", "[a/b]", "a[b]", "[::1].evil.example",
            "a\u{0}b", "x,y", "a]b",
        ]
        let ports = ["", ":", ":80", ":65535", ":123456", ":8x", ": 80", ":80:90", ":-1", "x", ":٣"]
        return hosts.flatMap { host in ports.map { host + $0 } }
    }()

    /// The same rules, written as a regular expression.
    @Test func whatIsValidIsSoByTheGrammarToo() {
        let grammar = /(\[[0-9A-Za-z:.%_~-]*\]|[0-9A-Za-z.%_~!$&'()*+;=-]*)(:[0-9]{0,5})?/
        for text in Self.texts {
            #expect((Authority(text)?.isValid ?? false) == (text.wholeMatch(of: grammar) != nil), "\(text)")
        }
    }

    @Test func partsAreTheGrammars() {
        let grammar = /(?:\[([^\]]*)\]|([^:\[\]]*))(?::[0-9]*)?/
        for text in Self.texts {
            let (authority, match) = (Authority(text), text.wholeMatch(of: grammar))
            #expect((authority == nil) == (match == nil), "\(text)")
            #expect(authority?.host == match.map { $0.1 ?? $0.2 ?? "" }, "\(text)")
            #expect(authority?.isBracketed == match.map { $0.1 != nil }, "\(text)")
        }
    }
}
