internal import CDemoModel

/// The drawn scenes bundled with Apus, the same as in `Examples/pictures`.
package enum SamplePictures {
    package static func all() throws(ApusError) -> [(name: String, image: Image)] {
        var pictures: [(name: String, image: Image)] = []
        for index in 0..<apus_demo_picture_count() {
            let name = apus_demo_picture_name(index).map { String(cString: $0) } ?? "picture"
            let bytes = [UInt8](
                UnsafeRawBufferPointer(start: apus_demo_picture_bytes(index), count: apus_demo_picture_size(index)))
            pictures.append((name, try Image(decoding: bytes, name: name)))
        }
        return pictures
    }
}
