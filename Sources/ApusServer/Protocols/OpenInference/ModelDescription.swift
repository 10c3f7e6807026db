/// A model as the protocol describes it.
struct ModelDescription: Sendable, Encodable {
    struct Tensor: Sendable, Encodable {
        var name: String
        var datatype: String
        /// -1 is any.
        var shape: [Int]
    }

    var name: String
    var versions: [String]
    var platform: String
    var inputs: [Tensor]
    var outputs: [Tensor]
}
