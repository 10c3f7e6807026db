import Apus
import TestSupport
import Testing

@Suite struct ImageTests {
    @Test func decodingCanBeCancelled() throws {
        let bytes = try Fixtures.bytes("images/baseline.jpg")
        let error = #expect(throws: ApusError.self) {
            try Image(decoding: bytes, name: "street.jpg", isCancelled: { true })
        }
        #expect(error?.code == .cancelled)
        #expect(error?.description == "could not read street.jpg: decoding was cancelled")
        #expect(try Image(decoding: bytes, isCancelled: { false }).width == 320)
    }
}
