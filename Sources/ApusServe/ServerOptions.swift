internal import ApusServer
internal import ArgumentParser
internal import CommandSupport
internal import Settings

/// All settings of the server, each optional on the command line.
struct ServerOptions: ParsableArguments {
    @Option(repeated: ServerSetting.model) var model
    @OptionGroup var detector: DetectorOptions
    @Option(DetectorSetting.preparation) var preparation
    @Option(ServerSetting.verify) var verify
    @OptionGroup var verification: VerificationOptions
    @Option(ServerSetting.reloadInterval) var reloadInterval

    @Option(ServerSetting.host) var host
    @Option(ServerSetting.port) var port
    @Option(ServerSetting.grpcPort) var grpcPort
    @Option(ServerSetting.tlsCertificate) var tlsCertificate
    @Option(ServerSetting.tlsKey) var tlsKey
    @Option(ServerSetting.apiKeyFile) var apiKeyFile
    @Option(repeated: ServerSetting.corsOrigin) var corsOrigin

    @Option(ServerSetting.maxBody) var maxBody
    @Option(ServerSetting.maxBodies) var maxBodies
    @Option(ServerSetting.maxPixels) var maxPixels
    @Option(ServerSetting.maxConnections) var maxConnections
    @Option(ServerSetting.timeout) var timeout
    @Option(ServerSetting.bodyTimeout) var bodyTimeout
    @Option(ServerSetting.idleTimeout) var idleTimeout
    @Option(ServerSetting.grace) var grace

    @Option(ServerSetting.queue) var queue
    @Option(ServerSetting.concurrency) var concurrency
    @Option(ServerSetting.maxBatch) var maxBatch
    @Option(ServerSetting.batchDelay) var batchDelay

    @Flag(inverted: ServerSetting.metrics) var metrics
    @Flag(inverted: ServerSetting.page) var page
    @Option(repeated: ServerSetting.urlHost) var urlHost
    @Option(ServerSetting.urlTimeout) var urlTimeout
    @Option(ServerSetting.deepStackLimit) var deepStackLimit
    @Option(ServerSetting.deepStackConfidence) var deepStackConfidence

    @Option(ServerSetting.logFormat) var logFormat
    @Option(ServerSetting.logLevel) var logLevel
}
