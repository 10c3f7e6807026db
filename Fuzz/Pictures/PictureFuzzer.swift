// A libFuzzer target: every input goes through the image decoders, as a file that somebody sent us.
// Built and run by Scripts/fuzz.sh, which also sets the limit on a single allocation.

import FuzzSupport
import Imaging

/// Small enough that a decoder which forgets the limit shows up as an allocation above libFuzzer's.
private let limits = ImageLimits(bytes: 1 << 20, pixels: 1 << 20)

/// Decoding costs by pixels as well as by bytes, and a pixel costs less than a byte of a compressed file. An image
/// that is refused may have used up the budget of the largest one first.
private let pixelsPerByte = 2

/// Decoding takes some 20 ns per byte and 10 ns per pixel.
private let budget = CPUBudget(minSecondsPerByte: 20e-9)

/// libFuzzer's entry point: one input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    budget.run(bytes, count) { input in count + decode(input) / pixelsPerByte }
}

/// Returns how many pixels the image has, or may have had, and those that it was resized to.
private func decode(_ input: [UInt8]) -> Int {
    guard let image = try? ImageDecoder.decode(input, limits: limits) else { return limits.pixels }
    let pixels = image.bitmap.width * image.bitmap.height
    precondition(pixels <= limits.pixels, "an image above the limit")
    // What follows a decoded image: the sizes that come of it must not break the resampler either.
    guard pixels <= 4096 else { return pixels }
    let small = image.bitmap.resized(width: 1 + image.bitmap.width / 2, height: 1 + image.bitmap.height * 3 / 2)
    precondition(small.pixels.count == 3 * small.width * small.height, "an image of another size")
    let (width, height) = (1 + image.bitmap.width * 3 / 2, 1 + image.bitmap.height / 2)
    let openCV = image.bitmap.resized(width: width, height: height, interpolation: .openCV)
    let torch = image.bitmap.torchResized(width: width, height: height)
    precondition(openCV.pixels.count == torch.samples.count, "images of different sizes")
    return pixels + small.width * small.height + 2 * width * height
}
