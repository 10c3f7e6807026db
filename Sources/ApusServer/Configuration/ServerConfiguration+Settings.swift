package import Apus
internal import Remedies
internal import Settings

extension ServerConfiguration: SettingsRoot {
    package static var defaults: ServerConfiguration { ServerConfiguration() }

    /// Builds a configuration from settings.
    ///
    /// - Throws: `ApusError` that names the setting that cannot be used.
    package init(_ settings: ServerSettings) throws(ApusError) {
        self.init()
        try settings.apply(to: &self)
        if tlsCertificate == nil, tlsKey != nil {
            throw settings.refuse(ServerSetting.tlsKey, "tls-cert is not set", "Set both or neither.")
        }
        if tlsKey == nil, tlsCertificate != nil {
            throw settings.refuse(ServerSetting.tlsCertificate, "tls-key is not set", "Set both or neither.")
        }
        if detector.cache == .off, settings.isSet(DetectorSetting.cacheFolder) {
            throw settings.refuse(DetectorSetting.noCache, "cache-dir is set too", "Set only one of them.")
        }
    }
}
