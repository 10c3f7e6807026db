internal import Foundation
internal import Remedies

/// The location of a model's bytes.
package enum ModelSource: Sendable {
    case file(String)
    case bytes([UInt8])
    /// Memory that stays unchanged for the lifetime of the process.
    case embedded(name: String, bytes: @Sendable () -> UnsafeRawBufferPointer)

    /// The model's name in messages.
    package var name: String {
        switch self {
        case .file(let path): path
        case .bytes(let bytes): "model of \(bytes.count) bytes in memory"
        case .embedded(let name, _): name
        }
    }

    /// Refuses a path without a readable regular file.
    ///
    /// - Throws: `modelUnreadable`.
    package func requireReadable(doing: String) throws(EngineError) {
        guard case .file(let path) = self else { return }
        var isFolder: ObjCBool = false
        func unreadable(_ cause: String, _ remedy: Remedy) -> EngineError {
            EngineError(.modelUnreadable, doing: doing, cause: cause, remedy: remedy)
        }
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw unreadable("there is no such file", "Check the path of the model.")
        }
        guard !isFolder.boolValue else { throw unreadable("it is a folder", "Use the .onnx file in it.") }
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let attributes = try? FileManager.default.attributesOfItem(atPath: target)
        guard attributes?[.type] as? FileAttributeType == .typeRegular else {
            throw unreadable("it is not a regular file", "Copy the model to a regular file and use that.")
        }
        guard let size = attributes?[.size] as? Int, size > 0 else {
            throw unreadable("the file is empty", "Its download or copy may be incomplete: download it again.")
        }
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw unreadable("you don't have permission to read it", "Change its permissions: chmod +r \(path)")
        }
    }
}
