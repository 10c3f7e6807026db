internal import Foundation

/// The font bundled with Apus, for systems without fonts: a bare container, say.
enum Fonts {
    /// Points fontconfig to the bundled fonts if the system has no configuration. Call it before drawing text.
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
