#if Server
    internal import Apus
    internal import FormData
    internal import Foundation
    internal import HTTPTypes
    internal import Hummingbird

    /// The pictures of a request, whichever way they were sent.
    struct PictureUpload {
        var pictures: [EncodedPicture]
        /// Whether they came as a list: the answer is one then.
        var isList: Bool
        /// The other fields of a form, by name.
        var fields: [String: String] = [:]

        private static let mostPictures = 16
        private static let longestField = 4096

        /// Reads a form's files, a raw picture, or JSON with one in base64.
        ///
        /// - Parameter fields: names of files in a form.
        init(
            _ body: BodyReader.Body, contentType: String?, limits: Image.Limits, fileFields: Set<String>,
            otherFields: Set<String> = [], isKept: Bool = false
        ) throws(ServerError) {
            func picture(_ name: String?, _ bytes: [UInt8]) throws(ServerError) -> EncodedPicture {
                guard !bytes.isEmpty else { throw .badPicture("\(name ?? "The picture") is empty") }
                return EncodedPicture(name: name, bytes: bytes, limits: limits, isKept: isKept)
            }
            let type = (contentType ?? "").prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
            switch type {
            case "multipart/form-data":
                guard let boundary = contentType.flatMap(Multipart.boundary) else {
                    throw .badRequest("The form's Content-Type has no boundary", remedy: "Let the client set it.")
                }
                let form: Multipart
                do {
                    form = try Multipart(body.bytes, boundary: boundary)
                } catch {
                    throw .badRequest("The form cannot be read: \(error.cause)")
                }
                pictures = []
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
                            "The form has a field \(part.name.prefix(100)), which means nothing here",
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
                (pictures, isList) = ([try PictureUpload.json(body.bytes).map(picture)], false)
            case "application/octet-stream", "", "image/jpeg", "image/png", "image/webp", "image/jpg",
                "application/x-www-form-urlencoded":
                // curl --data-binary calls everything a form of the last kind.
                (pictures, isList) = ([try picture(nil, body.bytes)], false)
            default:
                guard type.hasPrefix("image/") else {
                    throw .unsupportedMediaType(
                        "A body of type \(type.prefix(100)) is not read",
                        remedy:
                            "Send multipart/form-data, image/jpeg, image/png, image/webp, application/octet-stream or "
                            + "application/json.")
                }
                (pictures, isList) = ([try picture(nil, body.bytes)], false)
            }
        }

        /// A name as it may stand in an answer and a log.
        private static func shown(_ name: String) -> String {
            String(
                String.UnicodeScalarView(
                    name.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f }.prefix(200)))
        }

        private struct Body {
            var bytes: [UInt8]

            func map<Result, Failure: Error>(
                _ make: (String?, [UInt8]) throws(Failure) -> Result
            ) throws(Failure) -> Result { try make(nil, bytes) }
        }

        /// `{"image": "base64"}`, with or without a data URL's beginning.
        private static func json(_ bytes: [UInt8]) throws(ServerError) -> Body {
            let shape = "{\"image\": \"<base64>\"}"
            guard let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
                throw .badRequest("The body is no JSON object", remedy: "Send \(shape).")
            }
            if let other = object.keys.sorted().first(where: { $0 != "image" }) {
                throw .badRequest(
                    other == "url"
                        ? "This server fetches no pictures from addresses"
                        : "The body has a key \(other.prefix(100)), which means nothing here", remedy: "Send \(shape).")
            }
            guard let text = object["image"] as? String else {
                throw .badRequest("The body has no text under \"image\"", remedy: "Send \(shape).")
            }
            var encoded = Substring(text)
            if encoded.hasPrefix("data:"), let comma = encoded.firstIndex(of: ",") {
                encoded = encoded[encoded.index(after: comma)...]
            }
            guard let data = Data(base64Encoded: String(encoded), options: .ignoreUnknownCharacters), !data.isEmpty
            else {
                throw .badRequest("The text under \"image\" is not base64")
            }
            return Body(bytes: [UInt8](data))
        }
    }
#endif
