package import Apus
internal import Foundation
internal import Remedies

extension ServerConfiguration {
    /// What settings come to.
    ///
    /// - Throws: `ApusError` that names the setting that cannot be used.
    package init(_ settings: ServerSettings) throws(ApusError) {
        self.init(
            models: try ServerConfiguration.models(settings), detector: try ServerConfiguration.detector(settings))
        verification = try settings.parsed("verify", "Choose auto, always or never.") {
            ModelLoader.Verification(rawValue: $0)
        }
        // An IPv6 address may be in brackets, as in a URL.
        if let text = settings.text("host") {
            host = text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
        }
        port = settings.count("port") ?? port
        grpcPort = settings.count("grpc-port")
        maxBody = settings.bytes("max-body")
        maxBodies = settings.bytes("max-bodies")
        maxPixels = settings.count("max-pixels") ?? maxPixels
        maxConnections = settings.count("max-connections") ?? maxConnections
        inference = InferenceQueue.Limits(
            queue: settings.count("queue") ?? 64, concurrency: settings.count("concurrency") ?? 1,
            maxBatch: settings.count("max-batch") ?? 1,
            batchDelay: .milliseconds(settings.count("batch-delay-ms") ?? 0))
        timeout = settings.seconds("timeout")
        bodyTimeout = settings.seconds("body-timeout")
        idleTimeout = settings.seconds("idle-timeout")
        grace = settings.seconds("grace")
        tls = try ServerConfiguration.tls(settings)
        if let file = settings.text("api-key-file") { keys = try APIKeys(file: file) }
        hasMetrics = settings.flag("metrics")
        hasPage = settings.flag("page")
        origins = settings.list("cors-origin")
        for origin in origins where origin != "*" && origin.wholeMatch(of: /https?:\/\/[^\/]+/) == nil {
            throw settings.refuse(
                "cors-origin", "\(origin) is not a valid origin", "Write it as https://example.com, without a path.")
        }
        urlHosts = try settings.list("url-host").map { text throws(ApusError) in
            guard let host = AllowedHost(text) else {
                throw settings.refuse(
                    "url-host", "\(text) is not a valid host",
                    "Write it as example.com, *.example.com, example.com:8443, or * for every public one.")
            }
            return host
        }
        urlTimeout = settings.seconds("url-timeout")
        deepStackLimit = settings.count("deepstack-limit")
        deepStackConfidence = settings.fraction("deepstack-confidence") ?? deepStackConfidence
        reloadInterval = settings.secondsOrOff("reload-interval")
    }

    private static func tls(_ settings: ServerSettings) throws(ApusError) -> TLSFiles? {
        switch (settings.text("tls-cert"), settings.text("tls-key")) {
        case (let certificate?, let key?): TLSFiles(certificate: certificate, key: key)
        case (nil, nil): nil
        case (nil, _): throw settings.refuse("tls-key", "there is no tls-cert", "The two go together.")
        case (_, nil): throw settings.refuse("tls-cert", "there is no tls-key", "The two go together.")
        }
    }

    /// `path`, `name=path`, or the name of a model that was pulled; the demo model if none is named.
    private static func models(_ settings: ServerSettings) throws(ApusError) -> [ModelRegistry.Source] {
        var sources: [ModelRegistry.Source] = []
        for text in settings.list("model") {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            let path = parts.last ?? text
            let model: Model = path == "demo" ? .demo : .file(try ModelStore.path(of: path))
            let name =
                parts.count == 2 ? parts[0] : URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
            guard name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]{0,99}/) != nil, !name.hasSuffix(".raw") else {
                throw settings.refuse(
                    "model", "\(name) is not a valid model name",
                    "Choose another: \(setting: .model, "street=\(path)"). Names have letters, digits, points, hyphens and "
                        + "underscores, and don't end in .raw.")
            }
            guard !sources.contains(where: { $0.name == name }) else {
                throw settings.refuse(
                    "model", "two models are called \(name)", "Rename one: \(setting: .model, "other=\(path)")")
            }
            sources.append(ModelRegistry.Source(name: name, model: model))
        }
        return sources.isEmpty ? [ModelRegistry.Source(name: "demo", model: .demo)] : sources
    }

    private static func detector(_ settings: ServerSettings) throws(ApusError) -> Detector.Configuration {
        var cache = CompiledModelCache.standard
        if let folder = settings.text("cache-dir") { cache = .folder(folder) }
        if settings.flag("no-cache") {
            guard settings.text("cache-dir") == nil else {
                throw settings.refuse("no-cache", "there is a cache-dir", "Name one of them.")
            }
            cache = .off
        }
        return Detector.Configuration(
            family: try settings.text("family").map { name throws(ApusError) in
                if let family = Family(name) { return family }
                throw settings.refuse(
                    "family", "this version knows no family \(name)",
                    "Name one of: \(Family.all.map(\.name).joined(separator: ", ")).")
            },
            device: try settings.parsed("device", "Choose auto, cpu, gpu, gpu.N or npu.") { Device($0) },
            precision: try settings.parsed("precision", "Choose auto, f32, bf16 or f16.") {
                Precision(rawValue: $0)
            },
            provider: try settings.parsed("provider", "Choose auto, openvino or cpu.") {
                Provider(rawValue: $0)
            },
            threshold: settings.fraction("threshold") ?? 0.9,
            labels: try settings.text("labels").map { file throws(ApusError) in try LabelMap(contentsOfFile: file)
            },
            shapes: try settings.parsed("shapes", "Choose auto, exact, padded, or sizes such as 1344x800,800x1344.") {
                ShapePolicy($0)
            },
            preparation: try settings.parsed("preparation", "Choose before-ready or background.") {
                ["before-ready": .beforeReady, "background": .background][$0]
            },
            cache: cache, requiresVerified: settings.flag("require-verified"), runtime: settings.text("runtime"))
    }
}
