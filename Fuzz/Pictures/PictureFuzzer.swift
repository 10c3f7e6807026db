// A libFuzzer target: decodes every input as an untrusted image file.
// Built and run by Scripts/fuzz.sh, which also sets the limit on a single allocation.

import FuzzSupport
import Imaging

/// Small enough that a decoder that ignores it exceeds libFuzzer's allocation limit.
private let limits = ImageLimits(bytes: 1 << 20, pixels: 1 << 20)

/// Decoding cost depends on pixels as well as bytes, and a pixel costs less than a compressed byte. A rejected image may
/// have used the budget of the largest one first.
private let pixelsPerByte = 2

/// Decoding takes some 20 ns per byte and 10 ns per pixel.
private let budget = CPUBudget(minSecondsPerByte: 20e-9)

/// libFuzzer's entry point: one input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    budget.run(bytes, count) { input in count + decode(input) / pixelsPerByte }
}

/// Returns the pixels that the image has, or may have had, plus those it was resized to.
private func decode(_ input: [UInt8]) -> Int {
    guard let image = try? ImageDecoder.decode(input, limits: limits) else { return limits.pixels }
    let pixels = image.bitmap.width * image.bitmap.height
    precondition(pixels <= limits.pixels, "an image above the limit")
    // The sizes that follow from a decoded image must not break the resampler either.
    guard pixels <= 4096 else { return pixels }
    let small = image.bitmap.resized(width: 1 + image.bitmap.width / 2, height: 1 + image.bitmap.height * 3 / 2)
    precondition(small.pixels.count == 3 * small.width * small.height, "an image of another size")
    let (width, height) = (1 + image.bitmap.width * 3 / 2, 1 + image.bitmap.height / 2)
    let openCV = image.bitmap.resized(width: width, height: height, interpolation: .openCV)
    let torch = image.bitmap.torchResized(width: width, height: height)
    precondition(openCV.pixels.count == torch.samples.count, "images of different sizes")
    return pixels + small.width * small.height + 2 * width * height
}
