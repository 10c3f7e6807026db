import ApusServer
import Testing

struct QuotedTests {
    @Test func whatAClientSentIsShort() {
        #expect("\(Quoted("demo"))" == "demo")
        #expect("\(Quoted(String(repeating: "x", count: 1_000_000)))".utf8.count < 200)
        // One character to Swift, a megabyte to the client that would get it back.
        #expect("\(Quoted("a" + String(repeating: "\u{301}", count: 1_000_000)))".utf8.count < 300)
        #expect("\(Quoted([Int](repeating: 1, count: 1_000_000)))".utf8.count < 200)
        #expect("\(Quoted([1, 3, 800]))" == "[1, 3, 800]")
    }

    @Test func controlCharactersAreEscaped() {
        #expect("\(Quoted("a\u{1b}[31m\nb\u{202e}c\u{9b}"))" == "a\\u{1B}[31m\\nb\\u{202E}c\\u{009B}")
    }
}
