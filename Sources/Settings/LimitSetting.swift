package import Apus
internal import Remedies

extension Image.Limits: SettingsRoot {
    package static var defaults: Image.Limits { Image.Limits() }
}

/// The limits of input images.
package enum LimitSetting {
    package static let all: [any DeclaredSetting<Image.Limits>] = [maxPixels, maxBytes]

    package static let maxPixels = maxPixels(\Image.Limits.pixels)

    package static let maxBytes = SettingDeclaration(
        .maxBytes, .bytes(max: 2_000_000_000), help: "Maximum size of an image file.", destination: \Image.Limits.bytes)

    /// For other roots too. A billion pixels take 3 GB of memory.
    package static func maxPixels<Root>(
        _ destination: any WritableKeyPath<Root, Int> & Sendable
    ) -> SettingDeclaration<Root, Int> {
        SettingDeclaration(
            .maxPixels, .count(1...1_000_000_000), help: "Maximum number of pixels of an image.",
            destination: destination)
    }
}
