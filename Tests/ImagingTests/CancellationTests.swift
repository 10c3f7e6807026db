import Imaging
import Synchronization
import TestSupport
import Testing

@Suite struct CancellationTests {
    /// Says no until it has been asked `limit` times.
    private final class Question: Sendable {
        let limit: Int
        private let asked = Mutex(0)

        init(limit: Int) { self.limit = limit }

        var count: Int { asked.withLock { $0 } }

        func isCancelled() -> Bool {
            asked.withLock {
                $0 += 1
                return $0 >= limit
            }
        }
    }

    @Test(arguments: [
        ("images/baseline.jpg", 240), ("images/progressive.jpg", 333), ("images/cmyk.jpg", 160),
        ("images/small.png", 100), ("images/palette.png", 100), ("formats/png-6-16-interlaced.png", 15),
        ("images/lossy.webp", 3), ("images/lossless.webp", 6), ("formats/animated.webp", 3),
    ])
    func decodingStopsAsSoonAsItIsCancelled(file: String, minQuestions: Int) throws {
        let bytes = try Fixtures.bytes(file)
        let all = Question(limit: .max)
        let image = try ImageDecoder.decode(bytes, isCancelled: all.isCancelled)
        #expect(try ImageDecoder.decode(bytes).bitmap == image.bitmap)
        #expect(all.count >= minQuestions)
        for limit in [1, 2, all.count / 2, all.count - 1, all.count] {
            let question = Question(limit: limit)
            let error = #expect(throws: ImagingError.self) {
                try ImageDecoder.decode(bytes, isCancelled: question.isCancelled)
            }
            #expect(error?.code == .cancelled)
            #expect(question.count == limit)
        }
    }

    @Test func scansAreAbandonedInBetween() throws {
        let file = HostileImages.repeatedScans(side: 7000, repeats: 10)
        let question = Question(limit: 100)  // 875 rows of blocks in each of 12 scans
        let error = #expect(throws: ImagingError.self) {
            try ImageDecoder.decode(file, isCancelled: question.isCancelled)
        }
        #expect(error?.code == .cancelled)
        #expect(question.count == 100)
    }
}
