internal import ONNX
internal import Remedies

/// The format of torch.save since PyTorch 1.6: a ZIP with a pickle and one entry per storage.
enum PyTorchZip {
    static func read(_ bytes: Bytes) throws(ModelToolsError) -> PyTorchContent {
        let archive = try ZipArchive(bytes)
        let names = Set(archive.entries.keys).union(archive.unreadable)
        guard let pickleName = names.filter({ $0.hasSuffix("/data.pkl") || $0 == "data.pkl" }).min() else {
            throw ModelToolsError(
                .unsupported, "it is a ZIP file without a data.pkl, so PyTorch did not write it",
                remedy: "Use a file written by torch.save.")
        }
        let folder = pickleName.dropLast("data.pkl".count)
        guard !names.contains("\(folder)constants.pkl") else {
            throw ModelToolsError(
                .unsupported, "it is a TorchScript archive, a program rather than weights",
                remedy: #"Save the weights: torch.save({"model": model.state_dict()}, "weights.pth")"#)
        }
        if let order = try archive.entry("\(folder)byteorder")?.text, order != "little" {
            throw ModelToolsError(
                .unsupported, "its numbers are \(order)-endian", remedy: "Load it with PyTorch and save it again.")
        }
        guard let pickle = try archive.entry(pickleName) else { throw .malformed("the data.pkl is missing") }
        var reader = ByteReader(pickle, of: "its data.pkl")
        let (value, machine) = try PickleMachine.run(&reader)
        return PyTorchContent(root: value, pickle: machine) { storage throws(ModelToolsError) in
            guard let content = try archive.entry("\(folder)data/\(storage.key)") else {
                throw .malformed("the storage \(storage.key) is missing")
            }
            return content
        }
    }
}
