/// The shape of a DETR network, derived from its weights.
package struct DETRArchitecture: Sendable, Equatable {
    package enum Block: String, Sendable {
        /// Three convolutions, 1x1, 3x3 and 1x1: ResNet-50 and deeper.
        case bottleneck
        /// Two convolutions, 3x3: ResNet-18 and 34.
        case basic
    }

    package var block: Block
    /// Number of blocks in each of the backbone's four layers.
    package var depths: [Int]
    package var hiddenSize: Int
    package var feedForwardSize: Int
    package var encoderLayers: Int
    package var decoderLayers: Int
    package var queries: Int
    /// Number of classes without "no object".
    package var classes: Int
    package var heads: Int
    /// Whether the last layer of the backbone keeps its resolution and dilates its convolutions (DC5).
    package var isDilated: Bool

    /// The backbone's usual name.
    package var backbone: String {
        let convolutions = block == .bottleneck ? 3 : 2
        let depth = depths.reduce(0, +) * convolutions + 2
        let known = [[3, 4, 6, 3], [3, 4, 23, 3], [3, 8, 36, 3], [2, 2, 2, 2]].contains(depths)
        return known ? "ResNet-\(depth)" : "ResNet of \(block.rawValue) blocks \(depths)"
    }

    /// Pixels per cell of the feature map, along each side.
    package var stride: Int { isDilated ? 16 : 32 }
}

/// Properties that the weights don't determine, if specified.
package struct DETROptions: Sendable {
    package var heads: Int?
    package var isDilated: Bool?

    package init(heads: Int? = nil, isDilated: Bool? = nil) {
        self.heads = heads
        self.isDilated = isDilated
    }
}
