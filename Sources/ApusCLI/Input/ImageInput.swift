import Apus
import Foundation

/// A picture that was asked for, before it is read.
enum ImageInput: Sendable, Equatable {
    case file(String)
    case url(URL)
    case standardInput

    static let extensions: Set<String> = ["jpg", "jpeg", "png", "webp"]

    /// What an argument led to: a picture, or why there is none.
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

    /// What output calls it.
    var name: String {
        switch self {
        case .file(let path): path
        case .url(let url): url.absoluteString
        case .standardInput: "-"
        }
    }

    /// The stem of the file that an annotated copy is written to: one part of a path, whatever a URL says.
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

    /// The pictures that an argument names: `-`, a URL, a file, all pictures in a folder and below, or a glob's matches.
    /// What cannot be read is an error beside the others, never left out.
    ///
    /// A name that exists is taken as it is, whatever characters it has.
    static func expand(_ argument: String) -> [Found] {
        if argument == "-" { return [Found(.standardInput)] }
        if argument.hasPrefix("http://") || argument.hasPrefix("https://") {
            guard let url = URL(string: argument), url.host?.isEmpty == false else {
                return [Found(argument, cause: "it is no valid URL", remedy: "Check it for spaces and missing parts.")]
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
        return [Found(.file(argument))]  // reading it says what is wrong
    }

    /// A file, or the pictures in a folder; nil if there is neither.
    private static func existing(_ path: String) -> [Found]? {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
        guard isFolder.boolValue else { return [Found(.file(path))] }
        let found = pictures(inFolder: path)
        guard found.isEmpty else { return found }
        return [
            Found(
                path, cause: "the folder holds no picture",
                remedy: "Pictures are recognized by their names: \(extensions.sorted().joined(separator: ", ")).")
        ]
    }

    /// Regular files by their names, in order; links to folders below are not followed, as they may lead back.
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

    /// The encoded picture.
    func bytes(limits: Image.Limits) async throws -> [UInt8] {
        switch self {
        case .file(let path): try Image.bytes(ofFile: path, limits: limits)
        case .url(let url): try await Downloader.bytes(of: url, limits: limits)
        case .standardInput: try Image.bytesOfStandardInput(limits: limits)
        }
    }
}
