import Apus
import Foundation
import Imaging

/// A picture that was asked for, before it is read.
enum ImageInput: Sendable, Equatable {
    case file(String)
    case url(URL)
    case standardInput

    static let extensions: Set<String> = ["jpg", "jpeg", "png", "webp"]

    /// What output calls it.
    var name: String {
        switch self {
        case .file(let path): path
        case .url(let url): url.absoluteString
        case .standardInput: "-"
        }
    }

    /// The stem of the file that an annotated copy is written to.
    var stem: String {
        switch self {
        case .file(let path): URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        case .url(let url):
            url.deletingPathExtension().lastPathComponent.isEmpty || url.path == "/"
                ? "download" : url.deletingPathExtension().lastPathComponent
        case .standardInput: "stdin"
        }
    }

    /// The pictures that an argument names: `-`, a URL, a file, all pictures in a folder and below, or a glob's matches.
    ///
    /// A name that exists is taken as it is, whatever characters it has.
    static func expand(_ argument: String) throws(ApusError) -> [ImageInput] {
        if argument == "-" { return [.standardInput] }
        if argument.hasPrefix("http://") || argument.hasPrefix("https://") {
            guard let url = URL(string: argument), url.host?.isEmpty == false else {
                throw failure(argument, "it is no valid URL", "Check it for spaces and missing parts.")
            }
            return [.url(url)]
        }
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder) {
            return isFolder.boolValue ? try pictures(inFolder: argument) : [.file(argument)]
        }
        if argument.contains(where: { "*?[".contains($0) }) {
            let matches = try glob(argument)
            guard !matches.isEmpty else { throw failure(argument, "no file matches", "Check the pattern.") }
            var inputs: [ImageInput] = []
            for path in matches { inputs += try expand(path) }
            return inputs
        }
        return [.file(argument)]  // reading it says what is wrong
    }

    private static func pictures(inFolder path: String) throws(ApusError) -> [ImageInput] {
        guard let all = FileManager.default.enumerator(atPath: path) else {
            throw failure(path, "the folder cannot be read", "Change its permissions: chmod +rx \(path)")
        }
        let names = all.compactMap { $0 as? String }
            .filter { extensions.contains(URL(fileURLWithPath: $0).pathExtension.lowercased()) }.sorted()
        guard !names.isEmpty else {
            throw failure(
                path, "the folder holds no picture",
                "Pictures are recognized by their names: \(extensions.sorted().joined(separator: ", ")).")
        }
        let folder = path.hasSuffix("/") ? path : path + "/"
        return names.map { .file(folder + $0) }
    }

    private static func glob(_ pattern: String) throws(ApusError) -> [String] {
        var result = glob_t()
        defer { globfree(&result) }
        switch Foundation.glob(pattern, GLOB_BRACE | GLOB_TILDE, nil, &result) {
        case 0:
            return (0..<Int(result.gl_pathc)).compactMap { result.gl_pathv[$0].map { String(cString: $0) } }
        case GLOB_NOMATCH:
            return []
        default:
            throw failure(pattern, "the pattern's folders cannot be read", "Check the pattern.")
        }
    }

    private static func failure(_ name: String, _ cause: String, _ remedy: String) -> ApusError {
        ApusError(.image, doing: "read \(name)", cause: cause, remedy: remedy)
    }

    /// The encoded picture.
    func bytes(limits: Image.Limits) async throws -> [UInt8] {
        switch self {
        case .file(let path):
            return try Image.bytes(ofFile: path, limits: limits)
        case .url(let url):
            return try await Downloader.bytes(of: url, limits: limits)
        case .standardInput:
            do {
                return try Image.bytes(of: .standardInput, limits: limits)
            } catch let error as ImagingError {
                throw ApusError(error, doing: "read standard input")
            }
        }
    }
}
