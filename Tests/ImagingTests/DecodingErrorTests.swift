import Foundation
import Imaging
import Remedies
import TestSupport
import Testing

@Suite struct DecodingErrorTests {
    private func rejection(_ bytes: [UInt8], limits: ImageLimits = ImageLimits()) throws -> ImagingError {
        let error = #expect(throws: ImagingError.self) { try ImageDecoder.decode(bytes, limits: limits) }
        let found = try #require(error)
        #expect(found.remedy != nil)
        return found
    }

    /// A PNG's signature and header alone.
    private func header(width: UInt32, height: UInt32) -> [UInt8] {
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + Array("IHDR".utf8)
            + withUnsafeBytes(of: width.bigEndian, Array.init) + withUnsafeBytes(of: height.bigEndian, Array.init)
            + [8, 2, 0, 0, 0, 0, 0, 0, 0]
    }

    @Test func anEmptyFileIsSaidToBeEmpty() throws { #expect(try rejection([]).code == .empty) }

    @Test func textIsSaidToBeNoPicture() throws {
        let error = try rejection(Array("Hello, world, this is text".utf8))
        #expect(error.code == .unknownFormat)
        #expect(error.cause == #"it is not a JPEG, PNG or WebP image (it begins with the text "Hello, world")"#)
        #expect(try rejection([0x47, 0x00, 0xFE, 0x10]).cause.contains("(it begins with 47 00 FE 10)"))
    }

    @Test func aHugeHeaderIsRefusedBeforeMemoryIsTaken() throws {
        let error = try rejection(header(width: 60_000, height: 60_000))
        #expect(error.code == .tooManyPixels)
        #expect(error.cause == "it is 60000x60000, 3600000000 pixels; the limit is 100000000")
        #expect(error.remedy?.text(for: .command).contains("--max-pixels") == true)
        #expect(try rejection(header(width: 0x7FFF_FFFF, height: 0x7FFF_FFFF)).code == .tooManyPixels)
        // However high the limit, there is one.
        let unlimited = ImageLimits(pixels: .max)
        #expect(
            try rejection(header(width: 0x7FFF_FFFF, height: 0x7FFF_FFFF), limits: unlimited).code == .tooManyPixels)
        #expect(try rejection(header(width: 0, height: 5)).code == .corrupt)
        #expect(try rejection(header(width: 0xFFFF_FFFF, height: 1)).code == .corrupt)
    }

    @Test(arguments: ["baseline.jpg", "small.png", "lossless.webp"])
    func limitsHoldForEveryFormat(file: String) throws {
        let bytes = try Fixtures.bytes("images/" + file)
        #expect(try rejection(bytes, limits: ImageLimits(pixels: 1000)).code == .tooManyPixels)
        #expect(try rejection(bytes, limits: ImageLimits(bytes: bytes.count - 1)).code == .tooManyBytes)
        let image = try ImageDecoder.decode(bytes).bitmap
        #expect(
            try rejection(bytes, limits: ImageLimits(bytes: 10)).cause
                == "it exceeds the limit of 10 bytes")
        let exact = ImageLimits(bytes: bytes.count, pixels: image.width * image.height)
        #expect(try ImageDecoder.decode(bytes, limits: exact).bitmap == image)
    }

    @Test(arguments: [
        "baseline.jpg", "progressive.jpg", "gray.jpg", "cmyk.jpg", "small.png", "palette.png", "lossy.webp",
        "lossless.webp",
    ])
    func aTruncatedFileIsAnErrorWhereverItEnds(file: String) throws {
        let bytes = try Fixtures.bytes("images/" + file)
        for share in [0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99] {
            let error = try rejection(Array(bytes.prefix(max(13, Int(Double(bytes.count) * share)))))
            #expect(error.code == .truncated || error.code == .corrupt, "\(share): \(error)")
        }
        #expect(try rejection(Array(bytes.prefix(bytes.count * 7 / 10))).code == .truncated)
    }

    @Test func aDamagedPNGIsAnError() throws {
        var bytes = try Fixtures.bytes("images/small.png")
        bytes[bytes.count / 2] ^= 0xFF
        #expect(try rejection(bytes).code == .corrupt)
    }

    @Test func aDamagedJPEGThatStillDecodesCarriesAWarning() throws {
        var bytes = try Fixtures.bytes("images/baseline.jpg")
        let middle = bytes.count / 2
        bytes.replaceSubrange(middle..<(middle + 2), with: [0xFF, 0xD0])  // a restart marker out of place
        let image = try ImageDecoder.decode(bytes)
        #expect(image.warning?.isEmpty == false)
    }
}
