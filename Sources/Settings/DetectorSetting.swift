package import Apus
internal import Remedies

extension Detector.Configuration: SettingsRoot {
    package static var defaults: Detector.Configuration { Detector.Configuration() }
}

/// The settings of a detector.
package enum DetectorSetting {
    package typealias Declaration<Value: Sendable> = SettingDeclaration<Detector.Configuration, Value>

    package static let all: [any DeclaredSetting<Detector.Configuration>] = [
        family, device, precision, provider, threshold, labels, shapes, preparation, cacheFolder, noCache,
        requireVerified, runtime,
    ]

    package static let family = Declaration(
        .family, .family, help: "The model's family, if its file leaves it open.", destination: \.family)

    package static let device = Declaration(
        .device, .device, help: "The device to use. auto is an Intel GPU if OpenVINO finds one, else the CPU.",
        destination: \.device)

    package static let precision = Declaration(
        .precision, .choice, help: "The precision to compute in. auto is f32 on a CPU and f16 on a GPU.",
        destination: \.precision)

    package static let provider = Declaration(
        .provider, .choice, help: "The kernels to run: OpenVINO's, or ONNX Runtime's own on the CPU.",
        destination: \.provider)

    package static let threshold = Declaration(
        .threshold, .fraction, help: "Report objects with a score above this, 0 to 1.", destination: \.threshold)

    package static let labels = Declaration<String>(
        .labels, .file, help: "Class names: JSON, or a text file with one name per line.", get: { _ in nil },
        set: { configuration, file throws(ApusError) in configuration.labels = try LabelMap(contentsOfFile: file) }
    ).fallback("the model's own")

    package static let shapes = Declaration(
        .shapes, .shapes, help: "The input sizes to compile for.", destination: \.shapes
    ).details(
        """
        A GPU compiles a model for each input size, which takes seconds. padded compiles it for a few sizes, to which \
        images are padded; \(ShapePolicy.example) lists them; exact gives each image its own size. auto is exact on a \
        CPU, and padded elsewhere if the model supports padding.
        """)

    package static let preparation = Declaration(
        .preparation, .choice(of: [.beforeReady, .background]),
        help: """
            \(Detector.Preparation.beforeReady.rawValue) compiles all shapes before the first response; \
            \(Detector.Preparation.background.rawValue) only the largest.
            """,
        destination: \.preparation)

    package static let cacheFolder = Declaration<String>(
        .cacheFolder, .folder, help: "The folder for compiled models.",
        get: { if case .folder(let folder) = $0.cache { folder } else { nil } }, set: { $0.cache = .folder($1) }
    ).fallback("$XDG_CACHE_HOME/apus/compiled")

    package static let noCache = Declaration(
        .noCache, .flag, help: "Don't read or write the cache of compiled models.", get: { $0.cache == .off },
        set: { if $1 { $0.cache = .off } })

    package static let requireVerified = Declaration(
        .requireVerified, .flag, help: "Refuse a device whose results with this model were not verified.",
        destination: \.requiresVerified)

    package static let runtime = Declaration(
        .runtime, .folder, help: "The folder that holds ONNX Runtime.", destination: \.runtime
    ).fallback("$APUS_RUNTIME, else next to the command, else where `make setup` installed it")
}
