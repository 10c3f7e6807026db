import ApusServer
import Foundation
import HTTPTypes
import Testing

struct BoundedJSONTests {
    private static func object(_ text: String, maxValues: Int = 100) throws -> [String: Any]? {
        try BoundedJSON.object(Array(text.utf8)[...], maxValues: maxValues)
    }

    @Test func anObjectIsRead() throws {
        let object = try #require(try Self.object(#"{"a": [1, -2.5e-3, true, null, "[,{\"0123"], "€": {}}"#))
        #expect(object.count == 2)
        #expect((object["a"] as? [Any])?.count == 5)
        #expect(try Self.object("[1]") == nil)
        #expect(try Self.object("{") == nil)
        #expect(try Self.object("") == nil)
    }

    /// Foundation's parser takes quadratic time for it: two seconds for 19 MB.
    @Test(arguments: ["1", "-0.", "1e"]) func aLongNumberIsRefused(start: String) throws {
        let long = start + String(repeating: "1", count: 100)
        let error = #expect(throws: ServerError.self) { try Self.object("{\"a\": \(long)}") }
        #expect(error?.status == .badRequest)
        // Digits in a text are not a number.
        #expect(try Self.object("{\"a\": \"\(long)\"}") != nil)
    }

    @Test func valuesAreCountedWhateverTheTextsHold() throws {
        let list = "[" + String(repeating: "1,", count: 200) + "1]"
        #expect(throws: ServerError.self) { try Self.object("{\"a\\\"\": \(list)}") }
        #expect(try Self.object("{\"a\": \"\(String(repeating: "[,{", count: 200))\"}") != nil)
    }

    @Test func objectsAreFew() throws {
        func objects(_ count: Int) throws -> [String: Any]? {
            let list = [String](repeating: "{\"a\": 1}", count: count).joined(separator: ",")
            return try Self.object("{\"a\": [\(list)]}", maxValues: 1_000_000)
        }
        #expect(try objects(900) != nil)
        let error = #expect(throws: ServerError.self) { try objects(1000) }
        #expect(error?.status == .contentTooLarge)
    }

    /// In UTF-16 the byte of a quotation mark is half of U+2200, and would hide what follows from the count.
    @Test(arguments: [String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian, .utf32LittleEndian])
    func onlyUTF8IsRead(encoding: String.Encoding) throws {
        let text = "{\"∀\": [" + String(repeating: "1,", count: 1000) + "1]}"
        let bytes = [UInt8](try #require(text.data(using: encoding)))
        #expect(try BoundedJSON.object(bytes[...], maxValues: 10) == nil)
    }

    @Test func whatIsNotUTF8IsNotRead() throws {
        #expect(try BoundedJSON.object(Array("{\"a\": \"".utf8) + [0xff] + Array("\"}".utf8), maxValues: 10) == nil)
    }
}
