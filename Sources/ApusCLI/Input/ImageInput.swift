import Apus
import Foundation

/// A requested image, before it is read.
enum ImageInput: Sendable, Equatable {
    case file(String)
    case url(URL)
    case standardInput

    static let extensions: Set<String> = ["jpg", "jpeg", "png", "webp"]

    /// What an argument resolved to: an image, or an error.
    struct Found {
        var name: String
        var input: Result<ImageInput, ApusError>

        init(_ input: ImageInput) {
            name = input.name
            self.input = .success(input)
        }

        init(_ name: String, cause: String, remedy: String) {
            self.name = name
            input = .failure(ApusError(.image, doing: "read \(name)", cause: cause, remedy: remedy))
        }
    }

    /// Its name in the output.
    var name: String {
        switch self {
        case .file(let path): path
        case .url(let url): url.absoluteString
        case .standardInput: "-"
        }
    }

    /// The stem of the annotated copy's file name: a single path component, whatever the URL contains.
    var stem: String {
        let url: URL
        switch self {
        case .file(let path): url = URL(fileURLWithPath: path)
        case .url(let address): url = address
        case .standardInput: return "stdin"
        }
        let name = url.deletingPathExtension().lastPathComponent.replacing("/", with: "_").replacing("\0", with: "_")
        return ["", ".", "..", "_"].contains(name) ? "download" : name
    }

    /// The images an argument names: `-`, a URL, a file, all images in a folder (recursively), or a glob's matches.
    /// An input that cannot be read is an error in the list, never skipped.
    ///
    /// The name of an existing file is used literally, whatever its characters.
    static func expand(_ argument: String) -> [Found] {
        if argument == "-" { return [Found(.standardInput)] }
        if argument.hasPrefix("http://") || argument.hasPrefix("https://") {
            guard let url = URL(string: argument), url.host?.isEmpty == false else {
                return [
                    Found(argument, cause: "it is not a valid URL", remedy: "Check it for spaces and missing parts.")
                ]
            }
            return [Found(.url(url))]
        }
        if let found = existing(argument) { return found }
        if argument.contains(where: { "*?[{".contains($0) }) {
            var result = glob_t()
            defer { globfree(&result) }
            let status = glob(argument, GLOB_BRACE | GLOB_TILDE, nil, &result)
            let matches = (0..<Int(result.gl_pathc)).compactMap { result.gl_pathv[$0].map { String(cString: $0) } }
            guard status == 0, !matches.isEmpty else {
                return [Found(argument, cause: "no file matches", remedy: "Check the pattern.")]
            }
            return matches.flatMap { existing($0) ?? [Found(.file($0))] }
        }
        return [Found(.file(argument))]  // reading it reports the error
    }

    /// A file, or the images in a folder; nil if the path does not exist.
    private static func existing(_ path: String) -> [Found]? {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
        guard isFolder.boolValue else { return [Found(.file(path))] }
        let found = pictures(inFolder: path)
        guard found.isEmpty else { return found }
        return [
            Found(
                path, cause: "the folder contains no images",
                remedy: "Images are recognized by extension: \(extensions.sorted().joined(separator: ", ")).")
        ]
    }

    /// Regular files in name order; links to folders are not followed, as they may form cycles.
    private static func pictures(inFolder path: String) -> [Found] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path).sorted() else {
            return [
                Found(path, cause: "the folder cannot be read", remedy: "Change its permissions: chmod +rx \(path)")
            ]
        }
        let folder = path.hasSuffix("/") ? path : path + "/"
        return names.flatMap { name -> [Found] in
            let path = folder + name
            let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
            if type == .typeDirectory { return pictures(inFolder: path) }
            guard extensions.contains(URL(fileURLWithPath: name).pathExtension.lowercased()) else { return [] }
            let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
            let targetType = try? FileManager.default.attributesOfItem(atPath: target)[.type] as? FileAttributeType
            return targetType == .typeRegular || targetType == nil ? [Found(.file(path))] : []
        }
    }

    /// The encoded image.
    func bytes(limits: Image.Limits) async throws -> [UInt8] {
        switch self {
        case .file(let path): try Image.bytes(ofFile: path, limits: limits)
        case .url(let url): try await Downloader.bytes(of: url, limits: limits)
        case .standardInput: try Image.bytesOfStandardInput(limits: limits)
        }
    }
}
