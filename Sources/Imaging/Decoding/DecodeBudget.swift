internal import CImageCodecs
internal import Remedies

/// How much work decoding an image may take, and the price of each kind of work: the only place that defines them.
///
/// A small file that declares few pixels can keep a decoder busy for minutes: a JPEG repeats its scans, a PNG continues after its
/// last row. So decoders count their work before they do it, and stop when an image of that size can't legitimately need so much.
/// The count is exact and the same on every machine; a unit is about a nanosecond of a current processor.
///
/// Work outside the budget is bounded by other means: skipping a file's bytes (by `ImageLimits.bytes`), and WebP, whose decoder
/// visits each pixel once (by `ImageLimits.pixels`).
struct DecodeBudget: Sendable, Equatable {
    var units: Int

    /// Legitimate images need, in units per pixel: a PNG, 5; a progressive JPEG with libjpeg's scans and without chroma
    /// subsampling, 11, or 15 if it is CMYK. Twice as many scans as usual pass.
    private static let unitsPerPixel = 32
    /// The minimum budget, for the smallest image: two hundred scans.
    private static let base = 1 << 21
    /// The same for an arithmetic-coded JPEG, which allows for those up to about a megapixel. Hardly any program writes them, and
    /// Pillow reads none above 64 KB.
    private static let arithmeticBase = 1 << 26
    /// Enough to skip a file full of empty chunks.
    private static let unitsPerByte = 16
    /// Decoders work in rows and blocks, so a narrow image costs as much as one of this width.
    private static let shortestSide = 64

    init(units: Int) {
        self.units = units
    }

    /// `width` times `height` has passed `ImageLimits.check`.
    init(width: Int, height: Int, bytes: Int, isArithmetic: Bool = false) {
        let pixels = max(width, Self.shortestSide) * max(height, Self.shortestSide)
        let base = isArithmetic ? Self.arithmeticBase : Self.base
        self.init(units: base + Self.unitsPerPixel * pixels + Self.unitsPerByte * bytes)
    }

    /// In units. Coefficients cost what the worst ones do: an arithmetic-coded one takes up to 30 decisions and may take almost
    /// no bytes, while a Huffman-coded one that costs more than a glance takes bits of the file.
    static func price(of work: apus_work) -> Int {
        switch work {
        case APUS_WORK_CALL: 64
        case APUS_WORK_SCAN: 8192
        case APUS_WORK_BLOCK: 16
        case APUS_WORK_ARITHMETIC_BIT: 8
        case APUS_WORK_ARITHMETIC_COEFFICIENT: 64
        default: 1  // APUS_WORK_SAMPLE, APUS_WORK_COEFFICIENT
        }
    }
}

/// Counts the work of decoding one image, and stops it when the budget is exceeded or the image is no longer needed.
final class DecodeMeter {
    private(set) var spent = 0
    private let budget: DecodeBudget
    private let isCancelled: (@Sendable () -> Bool)?
    /// Why decoding must stop.
    private(set) var failure: ImagingError?

    init(_ budget: DecodeBudget, isCancelled: (@Sendable () -> Bool)?) {
        self.budget = budget
        self.isCancelled = isCancelled
    }

    /// False if the work must not be done; `failure` then has the reason.
    func spend(_ work: apus_work, _ amount: Int) -> Bool {
        let (cost, overflow) = amount.multipliedReportingOverflow(by: DecodeBudget.price(of: work))
        if overflow || cost > budget.units - spent {
            failure = .tooCostly
        } else {
            spent += cost
            if isCancelled?() == true { failure = .cancelled }
        }
        return failure == nil
    }

    func pay(_ work: apus_work, _ amount: Int) throws(ImagingError) {
        if !spend(work, amount), let failure { throw failure }
    }

    /// Runs `body` with the meter as a C struct.
    func withC<Result>(_ body: (apus_meter) -> Result) -> Result {
        withExtendedLifetime(self) {
            body(
                apus_meter(
                    spend: { context, work, amount in
                        guard let context else { return false }
                        return Unmanaged<DecodeMeter>.fromOpaque(context).takeUnretainedValue()
                            .spend(work, Int(clamping: amount))
                    }, context: Unmanaged.passUnretained(self).toOpaque()))
        }
    }
}

extension ImagingError {
    static let tooCostly = ImagingError(
        .tooCostly, "decoding it takes far more work than an image of its size should",
        remedy: "Save it again as a baseline JPEG (neither progressive nor arithmetic coded) or as a PNG.")

    static let cancelled = ImagingError(
        .cancelled, "decoding was cancelled")
}
