internal import Foundation

/// The font that comes with Apus, for systems that have none: a bare container, say.
enum Fonts {
    /// Names our own fonts to fontconfig where the system has no configuration. Before the first text is drawn.
    static let prepare: Void = {
        let environment = ProcessInfo.processInfo.environment
        guard environment["FONTCONFIG_FILE"] == nil, environment["FONTCONFIG_PATH"] == nil,
            !FileManager.default.fileExists(atPath: "/etc/fonts/fonts.conf"), let program = Bundle.main.executablePath
        else { return }
        let own = URL(fileURLWithPath: program).resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("../share/apus/fonts/fonts.conf").standardizedFileURL.path
        if FileManager.default.fileExists(atPath: own) { setenv("FONTCONFIG_FILE", own, 0) }
    }()
}
