import Engine
import Foundation
import ONNXRuntime
import TestSupport

/// A copy of the runtime folder in which single files are replaced. Of hard links: OpenVINO looks for its plugins where
/// its library really is, so symbolic ones would lead it back.
struct BrokenRuntime {
    let folder: TemporaryFolder
    private let original: String

    init() throws {
        folder = try TemporaryFolder()
        original = try RuntimeSearch.find().folder
        for name in try FileManager.default.contentsOfDirectory(atPath: original) where name.contains(".so") {
            let (source, target) = ("\(original)/\(name)", folder.path(name))
            if let link = try? FileManager.default.destinationOfSymbolicLink(atPath: source) {
                try FileManager.default.createSymbolicLink(atPath: target, withDestinationPath: link)
            } else if (try? FileManager.default.linkItem(atPath: source, toPath: target)) == nil {
                try FileManager.default.copyItem(atPath: source, toPath: target)
            }
        }
    }

    func remove(_ prefix: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
        where name.hasPrefix(prefix) {
            try FileManager.default.removeItem(atPath: folder.path(name))
        }
    }

    /// Replaces a library by a changed copy of itself.
    func change(_ name: String, _ body: (inout Data) -> Void) throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: "\(original)/\(name)"))
        body(&data)
        try FileManager.default.removeItem(atPath: folder.path(name))
        try data.write(to: URL(fileURLWithPath: folder.path(name)))
    }

    func replace(_ old: String, by new: String, in name: String) throws {
        try change(name) { data in
            while let found = data.range(of: Data(old.utf8)) { data.replaceSubrange(found, with: Data(new.utf8)) }
        }
    }
}
