internal import Apus
internal import Foundation
internal import NIOSSL

extension ServerConfiguration.TLSFiles {
    /// The server's TLS configuration: TLS 1.2 and later.
    var configuration: TLSConfiguration {
        get throws(ApusError) {
            let chain = try load(certificate, "a PEM certificate chain") {
                let chain = try NIOSSLCertificate.fromPEMFile($0)
                return chain.isEmpty ? nil : chain
            }
            let key = try load(self.key, "a PEM private key that is not encrypted") {
                try NIOSSLPrivateKey(file: $0, format: .pem)
            }
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
            configuration.minimumTLSVersion = .tlsv12
            guard (try? NIOSSLContext(configuration: configuration)) != nil else {
                throw failure("\(self.key) is not the key of the certificate in \(certificate)")
            }
            return configuration
        }
    }

    /// - Parameter read: returns nil or throws if the file does not contain the expected content.
    private func load<Value>(
        _ file: String, _ content: String, _ read: (String) throws -> Value?
    ) throws(ApusError) -> Value {
        guard FileManager.default.isReadableFile(atPath: file) else {
            throw failure("\(file) does not exist or can't be read")
        }
        guard let value = try? read(file) else { throw failure("\(file) is not \(content)") }
        return value
    }

    private func failure(_ cause: String) -> ApusError {
        ApusError(
            .option, doing: "use TLS", cause: cause,
            remedy: "Set tls-cert to a certificate chain and tls-key to its private key, both PEM files.")
    }
}
