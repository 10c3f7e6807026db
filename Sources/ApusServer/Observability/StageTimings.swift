internal import Apus

/// Where a request's time went, in milliseconds.
package struct StageTimings: Sendable, Codable, Equatable {
    package var queue = 0.0
    package var decode = 0.0
    package var preprocess = 0.0
    package var inference = 0.0
    package var postprocess = 0.0

    package init() {}

    /// Total over all images of a request.
    init(queue: Duration, _ images: [ImageResult]) {
        self.queue = queue.milliseconds
        for image in images {
            decode += image.decode.milliseconds
            preprocess += image.result.timings.preprocess.milliseconds
            inference += image.result.timings.inference.milliseconds
            postprocess += image.result.timings.postprocess.milliseconds
        }
    }

    /// By name, in the order of the work.
    var stages: [(name: String, milliseconds: Double)] {
        [
            ("queue", queue), ("decode", decode), ("preprocess", preprocess), ("inference", inference),
            ("postprocess", postprocess),
        ]
    }

    /// To a thousandth of a millisecond.
    var rounded: StageTimings {
        func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
        var own = StageTimings()
        own.queue = rounded(queue)
        own.decode = rounded(decode)
        own.preprocess = rounded(preprocess)
        own.inference = rounded(inference)
        own.postprocess = rounded(postprocess)
        return own
    }
}
