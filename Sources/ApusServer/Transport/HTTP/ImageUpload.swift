internal import Apus
internal import FormData
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Remedies

/// The images of a request, however they were sent.
struct ImageUpload: Sendable {
    /// The fields that a protocol expects in a form.
    struct FormFields: Sendable {
        /// Names of image fields.
        var images: Set<String>
        /// Names of text fields. If empty, any other field is an error.
        var texts: Set<String> = []
    }

    /// Empty if only a URL was sent.
    var images: [EncodedImage] = []
    /// The URL to download the image from.
    var url: String?
    /// Whether the response is a list.
    var isList = false
    /// The text fields of a form, by name.
    var texts: [String: String] = [:]

    private static let maxImages = 16
    private static let maxFieldLength = 4096

    /// Reads a form's files, a raw image, or JSON with an image in base64 or a URL. The images share the body's memory.
    init(
        _ body: BodyReader.Body, contentType: String?, limits: Image.Limits, form: FormFields
    ) throws(ServerError) {
        let type = (contentType ?? "").prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
        switch type {
        case "multipart/form-data": try readForm(body, contentType ?? "", limits, form)
        case "application/json": try readJSON(body, limits)
        // curl --data-binary sends everything with the last type.
        case "application/octet-stream", "", "application/x-www-form-urlencoded":
            images = [try ImageUpload.image(body.bytes[...], named: nil, limits, body.lease)]
        default:
            guard type.hasPrefix("image/") else {
                throw .unsupportedMediaType(
                    "The media type \(Quoted(type)) is not supported",
                    remedy:
                        "Send multipart/form-data, image/jpeg, image/png, image/webp, application/octet-stream or "
                        + "application/json.")
            }
            images = [try ImageUpload.image(body.bytes[...], named: nil, limits, body.lease)]
        }
    }

    /// Reads a request's body off the cooperative pool: it may be large.
    static func read(
        _ body: BodyReader.Body, contentType: String?, limits: Image.Limits, form: FormFields
    ) async throws -> ImageUpload {
        try await BoundedJSON.work(size: body.bytes.count) {
            try ImageUpload(body, contentType: contentType, limits: limits, form: form)
        }
    }

    private static func image(
        _ bytes: ArraySlice<UInt8>, named name: String?, _ limits: Image.Limits, _ lease: BodyReader.Lease
    ) throws(ServerError) -> EncodedImage {
        guard !bytes.isEmpty else { throw .badImage("\(name ?? "The image") is empty") }
        return EncodedImage(name: name, bytes: bytes, limits: limits, lease: lease)
    }

    // MARK: Forms

    private mutating func readForm(
        _ body: BodyReader.Body, _ contentType: String, _ limits: Image.Limits, _ fields: FormFields
    ) throws(ServerError) {
        guard let boundary = Multipart.boundary(of: contentType) else {
            throw .badRequest("The form's Content-Type has no boundary", remedy: "Let the HTTP client set it.")
        }
        let names = fields.images.sorted().joined(separator: " or ")
        for part in try Multipart(readable: body.bytes, boundary: boundary).parts {
            if fields.images.contains(part.name) {
                guard images.count < ImageUpload.maxImages else {
                    throw .tooLarge(
                        "There are more than \(ImageUpload.maxImages) images", remedy: "Send several requests.")
                }
                let name = part.filename.map(ImageUpload.printable)
                images.append(try ImageUpload.image(body.bytes[part.content], named: name, limits, body.lease))
            } else if fields.texts.contains(part.name) {
                guard part.content.count <= ImageUpload.maxFieldLength else {
                    throw .badRequest("The field \(part.name) has more than \(ImageUpload.maxFieldLength) bytes")
                }
                texts[part.name] = String(decoding: body.bytes[part.content], as: UTF8.self)
            } else if fields.texts.isEmpty {
                // Without text fields, an image under another name would be ignored silently.
                throw .badRequest(
                    "The form has an unknown field \(Quoted(part.name))", remedy: "Name the image's field \(names).")
            }
        }
        guard !images.isEmpty else {
            throw .badRequest(
                "The form has no field \(names)",
                remedy: "Send the image in it: curl -F \(fields.images.min() ?? "file")=@street.jpg")
        }
        isList = images.count > 1
    }

    /// A name that is safe in a response and a log.
    private static func printable(_ name: String) -> String {
        String(
            String.UnicodeScalarView(name.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f }.prefix(200)))
    }

    // MARK: JSON

    /// `{"image": "base64"}`, with or without a data URL's prefix, or `{"url": "https://…"}`.
    private mutating func readJSON(_ body: BodyReader.Body, _ limits: Image.Limits) throws(ServerError) {
        let remedy: Remedy = #"Send {"image": "<base64>"} or {"url": "https://…"}."#
        guard let object = try BoundedJSON.object(body.bytes[...], maxValues: 100) else {
            throw .badRequest("The body is not a JSON object", remedy: remedy)
        }
        guard object.count == 1, let (name, value) = object.first, ["image", "url"].contains(name) else {
            let other = object.keys.sorted().first { !["image", "url"].contains($0) }
            throw .badRequest(
                other.map { "The body has an unknown key \(Quoted($0))" }
                    ?? "The body has \(object.isEmpty ? "neither" : "both") of \"image\" and \"url\"",
                remedy: remedy)
        }
        guard let text = value as? String else {
            throw .badRequest("\"\(name)\" is not a string", remedy: remedy)
        }
        guard name == "image" else {
            url = text
            return
        }
        var encoded = Substring(text)
        if encoded.hasPrefix("data:"), let comma = encoded.firstIndex(of: ",") {
            encoded = encoded[encoded.index(after: comma)...]
        }
        guard let data = Data(base64Encoded: String(encoded), options: .ignoreUnknownCharacters), !data.isEmpty else {
            throw .badRequest("\"image\" is not valid base64")
        }
        images = [try ImageUpload.image([UInt8](data)[...], named: nil, limits, body.lease)]
    }
}

extension Multipart {
    /// - Throws: `ServerError` that explains why the form can't be read.
    init(readable body: [UInt8], boundary: String) throws(ServerError) {
        do {
            try self.init(body, boundary: boundary)
        } catch {
            throw .badRequest("The form can't be read: \(error.cause)")
        }
    }
}
