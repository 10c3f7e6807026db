import FormData
import Testing

@Suite struct MultipartTests {
    private func form(_ text: String, boundary: String = "b") throws(Multipart.Failure) -> Multipart {
        try Multipart(Array(text.utf8), boundary: boundary)
    }

    @Test func partsAreReadWithTheirNamesAndContents() throws {
        let text =
            "preamble\r\n--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a \\\"b\\\".jpg\"\r\n"
            + "Content-Type: image/jpeg\r\n\r\nJPEG\r\nmore\r\n--b \r\ncontent-disposition:form-data;name=api_key\r\n\r\n"
            + "\r\n--b--\r\nepilogue"
        let form = try form(text)
        #expect(form.parts.map(\.name) == ["image", "api_key"])
        #expect(form.parts[0].filename == "a \"b\".jpg" && form.parts[0].contentType == "image/jpeg")
        let bytes = Array(text.utf8)
        #expect(String(decoding: bytes[form.parts[0].content], as: UTF8.self) == "JPEG\r\nmore")
        #expect(form.parts[1].content.isEmpty && form.parts[1].filename == nil)
    }

    @Test func aFormWithoutPartsIsEmpty() throws {
        #expect(try form("--b--").parts.isEmpty)
    }

    @Test(arguments: [
        ("", "the boundary of the Content-Type is not in the body"),
        ("--c\r\n\r\n--c--", "the boundary of the Content-Type is not in the body"),
        ("--b", "a delimiter does not end its line"),
        ("--bx\r\n", "a delimiter does not end its line"),
        ("--b\r\nContent-Disposition: form-data; name=a", "a part's headers do not end within 8192 bytes"),
        (
            "--b\r\nContent-Disposition: form-data; name=a\r\n\r\ncut",
            "the last part is not terminated: the body is truncated"
        ),
        ("--b\r\nno colon\r\n\r\n\r\n--b--", "a part's header has no colon"),
        ("--b\r\nContent-Disposition: attachment\r\n\r\n\r\n--b--", "a part is not form-data"),
        (
            "--b\r\nContent-Transfer-Encoding: base64\r\n\r\n\r\n--b--",
            "a part has the encoding base64, which forms do not allow"
        ),
    ])
    func whatIsNoFormIsSaid(text: String, cause: String) {
        #expect(throws: Multipart.Failure(cause: cause)) { try form(text) }
    }

    @Test func thereIsAnEndToParts() {
        let many = String(repeating: "--b\r\n\r\n\r\n", count: 200) + "--b--"
        #expect(throws: Multipart.Failure(cause: "it has more than 100 parts")) { try form(many) }
        #expect(throws: Multipart.Failure(cause: "the boundary is not 1 to 70 bytes")) {
            try form("", boundary: String(repeating: "b", count: 71))
        }
    }

    @Test func theBoundaryIsOfTheContentType() {
        #expect(Multipart.boundary(of: "multipart/form-data; boundary=abc") == "abc")
        #expect(Multipart.boundary(of: "Multipart/Form-Data; charset=utf-8; Boundary=\"a;b\"") == "a;b")
        #expect(Multipart.boundary(of: "multipart/mixed; boundary=abc") == nil)
        #expect(Multipart.boundary(of: "multipart/form-data") == nil)
    }
}
