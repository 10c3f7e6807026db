internal import Apus
internal import FormData
internal import Foundation
internal import HTTPTypes
internal import Hummingbird

/// The pictures of a request, whichever way they were sent.
struct PictureUpload: Sendable {
    /// None where only an address was sent.
    var pictures: [EncodedPicture] = []
    /// Where the picture is to be fetched from.
    var address: String?
    /// Whether they came as a list: the answer is one then.
    var isList = false
    /// The other fields of a form, by name.
    var fields: [String: String] = [:]

    private static let mostPictures = 16
    private static let longestField = 4096

    /// Reads a form's files, a raw picture, or JSON with one in base64.
    ///
    /// - Parameter fields: names of files in a form.
    init(
        _ body: BodyReader.Body, contentType: String?, limits: Image.Limits, fileFields: Set<String>,
        otherFields: Set<String> = []
    ) throws(ServerError) {
        func picture(_ name: String?, _ bytes: [UInt8]) throws(ServerError) -> EncodedPicture {
            guard !bytes.isEmpty else { throw .badPicture("\(name ?? "The picture") is empty") }
            return EncodedPicture(name: name, bytes: bytes, limits: limits, lease: body.lease)
        }
        let type = (contentType ?? "").prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
        switch type {
        case "multipart/form-data":
            guard let boundary = contentType.flatMap(Multipart.boundary) else {
                throw .badRequest("The form's Content-Type has no boundary", remedy: "Let the client set it.")
            }
            let form = try Multipart(readable: body.bytes, boundary: boundary)
            for part in form.parts {
                if fileFields.contains(part.name) {
                    guard pictures.count < PictureUpload.mostPictures else {
                        throw .tooLarge(
                            "There are more than \(PictureUpload.mostPictures) pictures",
                            remedy: "Send them in several requests.")
                    }
                    pictures.append(
                        try picture(part.filename.map(PictureUpload.shown), Array(body.bytes[part.content])))
                } else if otherFields.contains(part.name) {
                    guard part.content.count <= PictureUpload.longestField else {
                        throw .badRequest("The field \(part.name) is too long")
                    }
                    fields[part.name] = String(decoding: body.bytes[part.content], as: UTF8.self)
                } else if otherFields.isEmpty {
                    // Where fields mean nothing, a picture under another name would be lost in silence.
                    throw .badRequest(
                        "The form has a field \(Quoted(part.name)), which means nothing here",
                        remedy: "Name the picture's field \(fileFields.sorted().joined(separator: " or ")).")
                }
            }
            guard !pictures.isEmpty else {
                throw .badRequest(
                    "The form has no field \(fileFields.sorted().joined(separator: " or "))",
                    remedy: "Send the picture in it: curl -F file=@street.jpg")
            }
            isList = pictures.count > 1
        case "application/json":
            switch try PictureUpload.json(body.bytes) {
            case .image(let bytes): pictures = [try picture(nil, bytes)]
            case .address(let text): address = text
            }
        case "application/octet-stream", "", "image/jpeg", "image/png", "image/webp", "image/jpg",
            "application/x-www-form-urlencoded":
            // curl --data-binary calls everything a form of the last kind.
            pictures = [try picture(nil, body.bytes)]
        default:
            guard type.hasPrefix("image/") else {
                throw .unsupportedMediaType(
                    "A body of type \(Quoted(type)) is not read",
                    remedy:
                        "Send multipart/form-data, image/jpeg, image/png, image/webp, application/octet-stream or "
                        + "application/json.")
            }
            pictures = [try picture(nil, body.bytes)]
        }
    }

    /// Reads a request's body off the cooperative pool: it may be large.
    static func read(
        _ body: BodyReader.Body, contentType: String?, limits: Image.Limits, fileFields: Set<String>,
        otherFields: Set<String> = []
    ) async throws -> PictureUpload {
        try await BoundedJSON.work(size: body.bytes.count) {
            try PictureUpload(
                body, contentType: contentType, limits: limits, fileFields: fileFields, otherFields: otherFields)
        }
    }

    /// A name as it may stand in an answer and a log.
    private static func shown(_ name: String) -> String {
        String(
            String.UnicodeScalarView(
                name.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f }.prefix(200)))
    }

    private enum Sent {
        case image([UInt8])
        case address(String)
    }

    /// `{"image": "base64"}`, with or without a data URL's beginning, or `{"url": "https://…"}`.
    private static func json(_ bytes: [UInt8]) throws(ServerError) -> Sent {
        let remedy = #"Send {"image": "<base64>"} or {"url": "https://…"}."#
        guard let object = try BoundedJSON.object(bytes[...], maxValues: 100) else {
            throw .badRequest("The body is no JSON object", remedy: remedy)
        }
        guard object.count == 1, let (name, value) = object.first, ["image", "url"].contains(name) else {
            let other = object.keys.sorted().first { !["image", "url"].contains($0) }
            throw .badRequest(
                other.map { "The body has a key \(Quoted($0)), which means nothing here" }
                    ?? "The body has \(object.isEmpty ? "neither" : "both") of \"image\" and \"url\"",
                remedy: remedy)
        }
        guard let text = value as? String else {
            throw .badRequest("What is under \"\(name)\" is no text", remedy: remedy)
        }
        if name == "url" { return .address(text) }
        var encoded = Substring(text)
        if encoded.hasPrefix("data:"), let comma = encoded.firstIndex(of: ",") {
            encoded = encoded[encoded.index(after: comma)...]
        }
        guard let data = Data(base64Encoded: String(encoded), options: .ignoreUnknownCharacters), !data.isEmpty
        else {
            throw .badRequest("The text under \"image\" is not base64")
        }
        return .image([UInt8](data))
    }
}

extension Multipart {
    /// - Throws: `ServerError` that says why the form can't be read.
    init(readable body: [UInt8], boundary: String) throws(ServerError) {
        do {
            try self.init(body, boundary: boundary)
        } catch {
            throw .badRequest("The form can't be read: \(error.cause)")
        }
    }
}
