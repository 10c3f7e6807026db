extension Detector {
    /// When a model is compiled for its canvases.
    public enum Preparation: String, Sendable, CaseIterable {
        /// For all before the detector is ready. After that nothing is compiled.
        case beforeReady = "before-ready"
        /// For the largest before the detector is ready, for the others in the background. Until one is there, a larger one
        /// takes its pictures, so none waits; their boxes may differ a little from later ones, as padding has an effect.
        case background
        /// For each when a picture first needs it, which waits.
        case whenNeeded = "when-needed"
    }

    /// How a detector runs. Every default is said in `Detector.execution` or `Detector.assumptions`.
    public struct Configuration: Sendable {
        /// The model's family; nil determines it from the model's file and those next to it, and is an error where they leave
        /// it open.
        public var family: Family?
        /// How a model of no family that Apus knows is prepared for and decoded; nil for one of those. Excludes `family`.
        public var customFamily: CustomFamily?
        /// Where the model is to run.
        public var device: Device
        /// What the device is to compute in.
        public var precision: Precision
        /// Whose kernels are to run the model.
        public var provider: Provider
        /// Detections with a higher score are reported; 0 to 1.
        public var threshold: Float
        /// Names of the classes; nil takes the model's own.
        public var labels: LabelMap?
        /// Pictures of one size that are run at once. The model must take batches: many exports do not, though their
        /// inputs say so. A model of fixed batch is given as many as it takes, whatever this says.
        public var batchSize: Int
        /// For which sizes of input the model is compiled.
        public var shapes: ShapePolicy
        /// When the model is compiled for them.
        public var preparation: Preparation
        /// Where what a GPU or an NPU compiled is kept.
        public var cache: CompiledModelCache
        /// Whether only a device may run whose answers `apus verify` found right.
        public var requiresVerified: Bool
        /// After how many runs of a canvas a GPU or an NPU is given a picture whose answer is known; 0 for only when an
        /// answer looks wrong.
        public var canaryInterval: Int
        /// A folder that holds ONNX Runtime; nil searches `APUS_RUNTIME`, beside the executable, and where setup put it.
        public var runtime: String?
        /// Where verdicts are kept; nil for the standard place.
        package var verdicts: String?
        /// Whether answers that cannot be right are errors. Off where answers are judged otherwise, or only timed.
        package var watchesAnswers = true
        /// The families to choose from.
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
                    cause: "a model has one", remedy: "Set family or customFamily, not both.")
            }
            guard (1...1024).contains(batchSize) else {
                throw ApusError(
                    .option, doing: "use batch size \(batchSize)", cause: "a batch has from 1 to 1024 images",
                    remedy: "Give a batch size in this range.")
            }
            guard case .canvases(let sizes) = shapes else { return }
            let sides = 1...10_000
            guard sizes.allSatisfy({ sides.contains($0.width) && sides.contains($0.height) }) else {
                throw ApusError(
                    .option, doing: "use shapes \(shapes)", cause: "a side has from 1 to 10000 pixels",
                    remedy: "Give sizes in this range.")
            }
        }

        package static func check(threshold: Float) throws(ApusError) {
            guard (0...1).contains(threshold) else {
                throw ApusError(
                    .option, doing: "use threshold \(threshold)", cause: "a score is between 0 and 1",
                    remedy: "Give a threshold from 0 to 1.")
            }
        }
    }
}
