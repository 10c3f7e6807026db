import Apus
import ApusDrawing
import Foundation
import Imaging

/// Where annotated copies go: one file, or a folder for any number of them.
struct AnnotatedOutput {
    private enum Target {
        case file(String)
        case folder(String)
    }

    private let target: Target
    private let format: ImageFormat
    private var taken: Set<String> = []
    /// A copy must not overwrite an input image.
    private let sources: Set<String>

    /// A path that ends in `/`, is a folder, or has no file extension is a folder; several images require one.
    init(path: String, inputs: [ImageInput]) throws(ApusError) {
        let count = inputs.count
        sources = Set(
            inputs.compactMap { input in
                if case .file(let path) = input { AnnotatedOutput.resolved(path) } else { nil }
            })
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let isFile =
            exists ? !isFolder.boolValue : !path.hasSuffix("/") && !URL(fileURLWithPath: path).pathExtension.isEmpty
        if isFile {
            guard count == 1 else {
                throw ApusError(
                    .option, doing: "write \(count) images to \(path)", cause: "it is one file",
                    remedy: "Name a folder: --output folder/")
            }
            do {
                format = try ImageEncoder.format(forPath: path)
            } catch {
                throw ApusError(error, doing: "write \(path)")
            }
            target = .file(path)
        } else {
            do {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            } catch {
                throw ApusError(
                    .option, doing: "create the folder \(path)", cause: error.localizedDescription,
                    remedy: "Name a writable folder.")
            }
            format = .png
            target = .folder(path.hasSuffix("/") ? String(path.dropLast()) : path)
        }
    }

    /// An annotated copy that isn't written yet: the bytes of the file, or the error.
    typealias Drawn = Result<[UInt8], ApusError>

    /// Draws the detections, encoded in the format of the copy's extension.
    var draw: @Sendable (DetectionResult, Image) -> Drawn {
        { [format] result, image in
            Result { () throws(ApusError) in
                let annotated = try image.annotated(with: result.detections)
                do throws(ImagingError) {
                    return try ImageEncoder.encode(annotated.bitmap, as: format)
                } catch {
                    throw ApusError(error, doing: "encode the copy")
                }
            }
        }
    }

    /// Writes a copy; returns its path. Copies are named in the order in which they are written.
    mutating func write(_ drawn: Drawn, of input: ImageInput) throws(ApusError) -> String {
        let path = path(for: input)
        if sources.contains(AnnotatedOutput.resolved(path)) {
            throw ApusError(
                .option, doing: "write \(path)", cause: "it is one of the input images",
                remedy: "Choose another --output.")
        }
        switch drawn {
        case .success(let bytes): try OutputFile.write(bytes, to: path)
        case .failure(var error):
            error.doing = "write \(path)"
            throw error
        }
        return path
    }

    private static func resolved(_ path: String) -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }

    /// `street.boxes.png` for `street.jpg`, `street-2.boxes.png` for the next of that name.
    private mutating func path(for input: ImageInput) -> String {
        switch target {
        case .file(let path): return path
        case .folder(let folder):
            var name = "\(input.stem).boxes.png"
            var number = 2
            while !taken.insert(name).inserted {
                name = "\(input.stem)-\(number).boxes.png"
                number += 1
            }
            return folder + "/" + name
        }
    }
}
