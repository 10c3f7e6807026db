import Apus
import Foundation

extension Operation {
    /// What happens for each image, and for each model.
    static var all: [Operation] {
        [
            decode("street.jpg"), decode("farm.jpg"),
            Operation("read 640x480 of BGR") {
                let pixels = [UInt8](repeating: 90, count: 3 * 640 * 480)
                return {
                    _ = try pixels.withUnsafeBytes { try Image(width: 640, height: 480, pixels: $0, layout: .bgr) }
                }
            },
            Operation("detect in farm.jpg") {
                let detector = try Detector(configuration: .init(provider: .cpu))
                let image = try Image(decoding: file("Examples/pictures/farm.jpg"))
                return { _ = try detector.detect(image) }
            },
            Operation("suppress 300 boxes") {
                let found = (0..<300).map { index in
                    let edge = Float(index % 20) * 10
                    return Detection(
                        score: Float(index) / 300, label: index % 3, category: nil,
                        box: Box(xMin: edge, yMin: edge, xMax: edge + 40, yMax: edge + 40))
                }
                return { _ = NonMaxSuppression(maxIoU: 0.5).kept(of: found) }
            },
        ]
    }

    private static func decode(_ name: String) -> Operation {
        Operation("decode \(name)") {
            let bytes = try file("Examples/pictures/\(name)")
            return { _ = try Image(decoding: bytes) }
        }
    }

    /// Below the package's root.
    private static func file(_ path: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: #filePath).appendingPathComponent("../../../" + path).standardized)
    }
}
