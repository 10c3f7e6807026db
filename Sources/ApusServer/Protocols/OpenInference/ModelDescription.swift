/// A model's description in the protocol.
struct ModelDescription: Sendable, Encodable {
    struct Tensor: Sendable, Encodable {
        var name: String
        var datatype: String
        /// -1 means any.
        var shape: [Int]
    }

    var name: String
    var versions: [String]
    var platform: String
    var inputs: [Tensor]
    var outputs: [Tensor]
}
