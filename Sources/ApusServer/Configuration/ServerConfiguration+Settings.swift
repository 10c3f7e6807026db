package import Apus
internal import Remedies
internal import Settings

extension ServerConfiguration: SettingsRoot {
    package static var defaults: ServerConfiguration { ServerConfiguration() }

    /// What settings come to.
    ///
    /// - Throws: `ApusError` that names the setting that cannot be used.
    package init(_ settings: ServerSettings) throws(ApusError) {
        self.init()
        try settings.apply(to: &self)
        if tlsCertificate == nil, tlsKey != nil {
            throw settings.refuse(ServerSetting.tlsKey, "there is no tls-cert", "The two go together.")
        }
        if tlsKey == nil, tlsCertificate != nil {
            throw settings.refuse(ServerSetting.tlsCertificate, "there is no tls-key", "The two go together.")
        }
        if detector.cache == .off, settings.isSet(DetectorSetting.cacheFolder) {
            throw settings.refuse(DetectorSetting.noCache, "there is a cache-dir", "Name one of them.")
        }
    }
}
