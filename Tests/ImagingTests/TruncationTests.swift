import Imaging
import TestSupport
import Testing

/// A JPEG that was cut off is rejected at the same lengths as by Pillow.
@Suite struct TruncationTests {
    struct Sample: Decodable, Sendable, CustomTestStringConvertible {
        var file: String
        var bytes: Int
        var accepted: [Int]

        var testDescription: String { file }
    }

    static let samples: [Sample] = Fixtures.json("cuts/index.json") ?? []

    @Test func thereAreSamples() { #expect(TruncationTests.samples.count == 12) }

    @Test(arguments: samples)
    func lengthsAreThosePillowAccepts(sample: Sample) throws {
        let bytes = try Fixtures.bytes("cuts/" + sample.file)
        #expect(bytes.count == sample.bytes)
        let accepted = (0...bytes.count).filter { (try? ImageDecoder.decode(Array(bytes.prefix($0)))) != nil }
        #expect(accepted == sample.accepted)
    }

    @Test(arguments: samples)
    func aCutImageIsSaidToBeTruncated(sample: Sample) throws {
        let bytes = try Fixtures.bytes("cuts/" + sample.file)
        let codes = (3..<(sample.accepted.first ?? 3)).map { count in
            do throws(ImagingError) {
                _ = try ImageDecoder.decode(Array(bytes.prefix(count)))
                return "decoded"
            } catch {
                return error.code.name
            }
        }
        #expect(Set(codes) == ["truncated"])
    }
}
