extension Detector {
    /// When a model is compiled for its canvases.
    public enum Preparation: String, Sendable, CaseIterable {
        /// All canvases before the detector is ready. After that nothing is compiled.
        case beforeReady = "before-ready"
        /// The largest canvas before the detector is ready, the others in the background. Until one is ready, a larger one takes
        /// its images, so none waits; padding has an effect, so their boxes may differ slightly from later ones.
        case background
        /// Each when an image first needs it; that image waits.
        case whenNeeded = "when-needed"
    }

    /// How a detector runs. `Detector.execution` and `Detector.assumptions` report every default.
    public struct Configuration: Sendable {
        /// The model's family; nil determines it from the model's file and the files next to it, which is an error if they leave
        /// it open.
        public var family: Family?
        /// How to prepare inputs and decode outputs for a model of a family that Apus doesn't know; nil for a known family.
        /// Excludes `family`.
        public var customFamily: CustomFamily?
        /// The device that runs the model.
        public var device: Device
        /// The precision that the device computes in.
        public var precision: Precision
        /// The provider of the kernels that run the model.
        public var provider: Provider
        /// Detections with a score above this are reported; 0 to 1.
        public var threshold: Float
        /// Names of the classes; nil uses the model's own.
        public var labels: LabelMap?
        /// How many images of one size run at once. The model must support batches: many exports don't, though their inputs claim
        /// it. A model with a fixed batch size uses that one instead.
        public var batchSize: Int
        /// Which input sizes the model is compiled for.
        public var shapes: ShapePolicy
        /// When the model is compiled for them.
        public var preparation: Preparation
        /// Where models compiled by a GPU or NPU are kept.
        public var cache: CompiledModelCache
        /// Whether to refuse a device whose results `apus verify` has not found right.
        public var requiresVerified: Bool
        /// After how many runs of a canvas a GPU or NPU is tested with an image whose output is known; 0 to test only when an
        /// output looks wrong.
        public var canaryInterval: Int
        /// A folder that holds ONNX Runtime; nil searches `APUS_RUNTIME`, next to the executable, and where setup installed it.
        public var runtime: String?
        /// Where verdicts are kept; nil for the default folder.
        package var verdicts: String?
        /// Whether outputs that cannot be right are errors. Off where outputs are judged by other means, or only timed.
        package var watchesAnswers = true
        /// The families to recognize.
        package var families = ModelFamilies.all

        /// Makes a configuration; every value has a default.
        public init(
            family: Family? = nil, device: Device = .auto, precision: Precision = .auto, provider: Provider = .auto,
            threshold: Float = 0.9,
            labels: LabelMap? = nil, batchSize: Int = 1, shapes: ShapePolicy = .auto,
            preparation: Preparation = .beforeReady, cache: CompiledModelCache = .standard,
            requiresVerified: Bool = false, canaryInterval: Int = 1000,
            runtime: String? = nil
        ) {
            self.family = family
            self.device = device
            self.precision = precision
            self.provider = provider
            self.threshold = threshold
            self.labels = labels
            self.batchSize = batchSize
            self.shapes = shapes
            self.preparation = preparation
            self.cache = cache
            self.requiresVerified = requiresVerified
            self.canaryInterval = canaryInterval
            self.runtime = runtime
        }

        func check() throws(ApusError) {
            try Configuration.check(threshold: threshold)
            guard family == nil || customFamily == nil else {
                throw ApusError(
                    .option, doing: "use the families \(family?.name ?? "") and \(customFamily?.name ?? "")",
                    cause: "a model has only one family", remedy: "Set family or customFamily, not both.")
            }
            guard (1...1024).contains(batchSize) else {
                throw ApusError(
                    .option, doing: "use batch size \(batchSize)", cause: "a batch has 1 to 1024 images",
                    remedy: "Use a batch size in this range.")
            }
            guard case .canvases(let sizes) = shapes else { return }
            let sides = 1...10_000
            guard sizes.allSatisfy({ sides.contains($0.width) && sides.contains($0.height) }) else {
                throw ApusError(
                    .option, doing: "use shapes \(shapes)", cause: "a side has 1 to 10000 pixels",
                    remedy: "Use sizes in this range.")
            }
        }

        package static func check(threshold: Float) throws(ApusError) {
            guard (0...1).contains(threshold) else {
                throw ApusError(
                    .option, doing: "use threshold \(threshold)", cause: "a score is between 0 and 1",
                    remedy: "Use a threshold from 0 to 1.")
            }
        }
    }
}
