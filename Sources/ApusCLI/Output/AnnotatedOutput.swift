import Apus
import ApusDrawing
import Foundation
import Imaging

/// Where annotated copies go: one file, or a folder for any number.
struct AnnotatedOutput {
    private enum Target {
        case file(String)
        case folder(String)
    }

    private let target: Target
    private var taken: Set<String> = []
    /// No copy may take the place of a picture that is read.
    private let sources: Set<String>

    /// A path that ends in `/`, is a folder, or has no file extension is a folder; for several pictures it must be one.
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
                    .option, doing: "write \(count) pictures to \(path)", cause: "it is one file",
                    remedy: "Name a folder: --output folder/")
            }
            do {
                _ = try ImageEncoder.format(forPath: path)
            } catch {
                throw ApusError(error, doing: "write \(path)")
            }
            target = .file(path)
        } else {
            do {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            } catch {
                throw ApusError(
                    .option, doing: "make the folder \(path)", cause: error.localizedDescription,
                    remedy: "Name a folder that you may write to.")
            }
            target = .folder(path.hasSuffix("/") ? String(path.dropLast()) : path)
        }
    }

    /// Draws the detections and writes the copy; returns its path.
    mutating func write(_ result: DetectionResult, on image: Image, of input: ImageInput) throws -> String {
        let path = path(for: input)
        if sources.contains(AnnotatedOutput.resolved(path)) {
            throw ApusError(
                .option, doing: "write \(path)", cause: "it is one of the pictures themselves",
                remedy: "Choose another --output.")
        }
        let annotated = try image.annotated(with: result.detections)
        do {
            let format = try ImageEncoder.format(forPath: path)
            try OutputFile.write(ImageEncoder.encode(annotated.bitmap, as: format), to: path)
        } catch let error as ImagingError {
            throw ApusError(error, doing: "write \(path)")
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
