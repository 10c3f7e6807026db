import ApusServer
import Testing

@Suite struct ServerLogTests {
    @Test func whatClientsSendStaysInItsLine() {
        for text in ["a\r\nb", "a\nb", "a\rb", "a\u{1B}[31mb", "a\u{85}b", "a\u{2028}b", "a\u{0}b"] {
            let line = ServerLog.oneLine(text)
            #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x85 && $0.value != 0x2028 })
            #expect(line.hasPrefix("a") && line.hasSuffix("b"))
        }
        #expect(ServerLog.oneLine("käse 10 µs") == "käse 10 µs")
    }
}
