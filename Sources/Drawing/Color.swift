internal import Foundation

/// The color of a class, bright enough to stand out on a photograph.
struct Color: Sendable, Equatable {
    var red: Double
    var green: Double
    var blue: Double

    /// Hues a golden angle apart: neighboring classes differ most.
    init(ofClass number: Int) {
        let hue = (Double(number) * 0.618_033_988_75).truncatingRemainder(dividingBy: 1) * 6
        func channel(_ shift: Double) -> Double {
            let position = (shift + hue).truncatingRemainder(dividingBy: 6)
            return 0.96 - 0.96 * 0.85 * max(0, min(position, 4 - position, 1))
        }
        (red, green, blue) = (channel(5), channel(3), channel(1))
    }

    /// WCAG 2's relative luminance.
    var luminance: Double {
        func linear(_ value: Double) -> Double {
            value <= 0.040_45 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    /// Whether black text on it is easier to read than white; either way the contrast is at least 4.5 to 1.
    var wantsBlackText: Bool { luminance > 0.179 }
}
