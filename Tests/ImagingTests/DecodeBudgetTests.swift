import Imaging
import Remedies
import TestSupport
import Testing

/// What an image costs is bounded by its pixels and bytes. Times are compared only where the difference is a hang.
@Suite(.serialized) struct DecodeBudgetTests {
    struct Sample: Decodable, Sendable, CustomTestStringConvertible {
        var file: String
        /// Of the error; empty if the image decodes.
        var code: String

        var testDescription: String { file }
    }

    static let samples: [Sample] = Fixtures.json("costly/index.json") ?? []

    @Test func thereAreSamples() { #expect(DecodeBudgetTests.samples.count == 8) }

    @Test(arguments: samples)
    func hostileImagesAreDecodedOrRefusedWithinTheBudget(sample: Sample) throws {
        let bytes = try Fixtures.bytes("costly/" + sample.file)
        #expect(code(bytes)?.name ?? "" == sample.code)
    }

    private func code(_ bytes: [UInt8]) -> ImagingError.Code? {
        do throws(ImagingError) {
            _ = try ImageDecoder.decode(bytes)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func pngDataAfterTheLastRowIsNotInflated() throws {
        // 20 GB of zeros, of which 10 KB are the image.
        let file = HostileImages.png(
            width: 100, height: 100,
            chunks: [HostileImages.chunk("IDAT", HostileImages.endlessZeros(bytes: 18_800_000))])
        let seconds = try cpuSeconds {
            let image = try ImageDecoder.decode(file).bitmap
            #expect(image.width == 100 && image.pixels.allSatisfy { $0 == 0 })
        }
        #expect(try seconds < 10 * honestPNG())
    }

    @Test(arguments: [false, true])
    func pngDataAfterTheLastRowIsNotInflatedInSmallChunksEither(interlaced: Bool) throws {
        let start = HostileImages.chunk("IDAT", HostileImages.endlessZeros(bytes: 4096))
        let more = HostileImages.chunk("IDAT", [UInt8](repeating: 0, count: 4096))
        let file = HostileImages.png(
            width: 1, height: 3, interlaced: interlaced, chunks: [start] + [[UInt8]](repeating: more, count: 4000))
        let seconds = try cpuSeconds {
            let image = try ImageDecoder.decode(file).bitmap
            #expect(image.pixels == [UInt8](repeating: 0, count: 9))
        }
        #expect(try seconds < 10 * honestPNG())
    }

    /// What 50 MB of pixels cost, where the hostile ones have 400 times as much behind the last row.
    private func honestPNG() throws -> Double {
        let file = HostileImages.png(
            width: 7000, height: 7000, chunks: [HostileImages.chunk("IDAT", HostileImages.endlessZeros(bytes: 60_000))])
        return try cpuSeconds {
            let image = try ImageDecoder.decode(file).bitmap
            #expect(image.width == 7000)
        }
    }

    @Test func pngDataAfterTheLastRowIsStillChecked() throws {
        var file = HostileImages.png(
            width: 2, height: 2, chunks: [HostileImages.chunk("IDAT", HostileImages.endlessZeros(bytes: 9000))])
        #expect(code(file) == nil)
        #expect(code(Array(file.dropLast())) == .truncated)
        file[file.count - 1000] ^= 1
        #expect(code(file) == .corrupt)
    }

    @Test func emptyChunksAreSkipped() throws {
        let data = HostileImages.chunk("IDAT", HostileImages.endlessZeros(bytes: 100))
        for name in ["tEXt", "fcTL", "aaAa"] {
            let empty = [[UInt8]](repeating: HostileImages.chunk(name, []), count: 50_000)
            for chunks in [empty + [data], [data] + empty] {
                #expect(code(HostileImages.png(width: 2, height: 2, chunks: chunks)) == nil)
            }
        }
    }

    @Test func aJPEGWithHundredsOfScansIsRefused() throws {
        let file = HostileImages.repeatedScans(side: 7000, repeats: 480)
        let error = #expect(throws: ImagingError.self) { try ImageDecoder.decode(file) }
        #expect(error?.code == .tooCostly)
        #expect(error?.cause.contains("far more work than an image of its size should") == true)
        #expect(error?.remedy?.text(for: .command).contains("baseline JPEG") == true)
    }

    @Test func aJPEGWithHundredsOfScansCostsNoMoreThanAFewHonestOnes() throws {
        let honest = HostileImages.repeatedScans(side: 4000, repeats: 8)
        let hostile = HostileImages.repeatedScans(side: 4000, repeats: 480)
        let one = try cpuSeconds { _ = try ImageDecoder.decode(honest) }
        let most = cpuSeconds { #expect(code(hostile) == .tooCostly) }
        #expect(most < 12 * one)
    }

    @Test func scansOfASmallImageAreBoundedToo() {
        #expect(code(HostileImages.repeatedScans(side: 1, repeats: 100)) == nil)
        #expect(code(HostileImages.repeatedScans(side: 1, repeats: 50_000)) == .tooCostly)
    }

    @Test func largeArithmeticCodedJPEGsAreRefused() {
        #expect(code(HostileImages.arithmetic(width: 500, height: 500)) == nil)
        #expect(code(HostileImages.arithmetic(width: 9000, height: 9000)) == .tooCostly)
    }

    @Test func narrowImagesStayWithinTheBudget() throws {
        let data = HostileImages.chunk("IDAT", HostileImages.endlessZeros(bytes: 4000))
        for interlaced in [false, true] {
            for (width, height) in [(1, 300_000), (300_000, 1)] {
                let file = HostileImages.png(width: width, height: height, interlaced: interlaced, chunks: [data])
                #expect(code(file) == nil)
            }
        }
    }
}
