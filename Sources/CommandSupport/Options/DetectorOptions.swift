package import Apus
package import ArgumentParser
internal import Remedies
internal import Settings

/// Where and how models run.
package struct DetectorOptions: ParsableArguments {
    @OptionGroup package var familyOption: FamilyOption
    @Option(DetectorSetting.device) package var device
    @Option(DetectorSetting.precision) package var precision
    @Option(DetectorSetting.provider) package var provider
    @Option(DetectorSetting.threshold) package var threshold
    @Option(DetectorSetting.labels) package var labels
    @Option(DetectorSetting.shapes) package var shapes
    @OptionGroup package var cache: CacheOptions
    @OptionGroup package var runtime: RuntimeOptions

    package init() {}

    package func configuration() throws -> Detector.Configuration {
        try GivenSettings(self).resolved(DetectorSetting.all)
    }
}

/// How a model's outputs are decoded.
package struct FamilyOption: ParsableArguments {
    @Option(DetectorSetting.family) package var choice

    package init() {}

    package var family: Family? { choice?.value }
}

/// What a device must pass before it may run a model.
package struct VerificationOptions: ParsableArguments {
    @Flag(DetectorSetting.requireVerified) package var requireVerified

    package init() {}
}

/// Where compiled models are stored.
package struct CacheOptions: ParsableArguments {
    @Option(DetectorSetting.cacheFolder) package var folder
    @Flag(DetectorSetting.noCache) package var noCache

    package init() {}

    package func validate() throws {
        guard folder == nil || !noCache else {
            let (folder, off) = (DetectorSetting.cacheFolder.setting, DetectorSetting.noCache.setting)
            throw ValidationError(
                "\(folder.name(for: .command)) and \(off.name(for: .command)) are mutually exclusive."
            )
        }
    }

    package var cache: CompiledModelCache {
        get throws { try GivenSettings(self).resolved(DetectorSetting.all).cache }
    }
}

/// Which runtime to load.
package struct RuntimeOptions: ParsableArguments {
    @Option(DetectorSetting.runtime) package var folder

    package init() {}

    package var runtime: String? { folder?.value }
}

/// Image size limits.
package struct LimitOptions: ParsableArguments {
    @Option(LimitSetting.maxPixels) package var maxPixels
    @Option(LimitSetting.maxBytes) package var maxBytes

    package init() {}

    package var limits: Image.Limits {
        get throws { try GivenSettings(self).resolved(LimitSetting.all) }
    }
}
