// A libFuzzer target: every input goes through the decoders of pictures, as a file that somebody sent us.
// Built and run by Scripts/fuzz.sh, which also sets the limit on a single allocation.

import Imaging

/// Small enough that a decoder which forgets the limit shows up as an allocation above libFuzzer's.
private let limits = ImageLimits(bytes: 1 << 20, pixels: 1 << 20)

/// libFuzzer's entry point: one input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: bytes, count: count))
    guard let image = try? ImageDecoder.decode(input, limits: limits) else { return 0 }
    precondition(image.bitmap.width * image.bitmap.height <= limits.pixels, "a picture above the limit")
    // What follows a decoded picture: the sizes that come of it must not break the resampler either.
    if image.bitmap.width * image.bitmap.height <= 4096 {
        let small = image.bitmap.resized(width: 1 + image.bitmap.width / 2, height: 1 + image.bitmap.height * 3 / 2)
        precondition(small.pixels.count == 3 * small.width * small.height, "a picture of another size")
    }
    return 0
}
