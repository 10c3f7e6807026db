internal import Foundation

/// Resolves the dependencies of shared libraries like the dynamic linker, without loading anything.
///
/// dlopen reports only the first missing library; this reports all.
package struct LibraryWalk: Sendable {
    /// Something that keeps a library from loading.
    package enum Problem: Sendable, Equatable, Hashable {
        /// No library of this name was found.
        case missing(String, neededBy: String)
        /// The file exists but cannot be used.
        case unusable(String, cause: String, neededBy: String)
        /// The library exists but is too old for the one that needs it: ("libc.so.6", "GLIBC_2.38").
        case missingVersion(String, String, neededBy: String)
        /// No library defines these symbols: libraries of different versions are mixed.
        case undefinedSymbols([String], in: String)

        /// The name of the library that fails to load.
        package var affected: String {
            switch self {
            case .missing(_, let by), .unusable(_, _, let by), .missingVersion(_, _, let by): by
            case .undefinedSymbols(_, let library): library
            }
        }

        package var text: String {
            switch self {
            case .missing(let name, let by): "\(name) is missing (\(by) needs it)"
            case .unusable(let name, let cause, let by):
                "\(name) cannot be used: \(cause)" + (by == name ? "" : " (\(by) needs it)")
            case .missingVersion(let name, let version, let by):
                "\(name) is too old: it lacks \(version), which \(by) needs"
            case .undefinedSymbols(let symbols, let library):
                "\(library) uses \(symbols.count == 1 ? "a symbol" : "\(symbols.count) symbols") that no library "
                    + "defines: \(symbols.prefix(3).joined(separator: ", "))\(symbols.count > 3 ? ", …" : "")"
            }
        }
    }

    private let cache: LibraryCache
    private let environmentFolders: [String]
    private var loaded: [String: ELFFile] = [:]
    private var order: [ELFFile] = []
    private var defined: Set<String> = []
    private var found: [Problem] = []

    /// - Parameter libraryPath: the value of LD_LIBRARY_PATH.
    package init(
        cache: LibraryCache = .system,
        libraryPath: String? = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"]
    ) {
        self.cache = cache
        environmentFolders = (libraryPath ?? "").split(separator: ":").map(String.init)
    }

    /// Adds a library and its dependencies. Libraries found by earlier calls count as loaded, as in a process; earlier problems
    /// are reported again if they affect this library too.
    package mutating func add(_ path: String) -> [Problem] {
        let name = URL(fileURLWithPath: path).lastPathComponent
        let first = order.count
        if loaded[name] == nil { visit(path, as: name, neededBy: name, inherited: []) }
        for file in order[first...] { defined.formUnion(file.defined) }
        // Symbols of missing libraries would all be undefined.
        if problems(of: name).isEmpty {
            for file in order[first...] {
                let unknown = file.undefined.filter { !defined.contains($0) }
                if !unknown.isEmpty { found.append(.undefinedSymbols(unknown, in: file.name)) }
            }
        }
        return problems(of: name)
    }

    /// The problems of a library and its dependencies, each missing library once.
    private func problems(of name: String) -> [Problem] {
        var reached: Set<String> = [name]
        var open = [name]
        while let next = open.popLast() {
            guard let file = loaded[next] else { continue }
            reached.insert(file.name)
            for needed in file.needed where reached.insert(needed).inserted { open.append(needed) }
        }
        var missing: Set<String> = []
        return found.filter { problem in
            guard reached.contains(problem.affected) else { return false }
            if case .missing(let library, _) = problem { return missing.insert(library).inserted }
            return true
        }
    }

    private mutating func visit(_ path: String, as name: String, neededBy: String, inherited: [String]) {
        let file: ELFFile
        do {
            file = try ELFFile(path)
        } catch {
            found.append(.unusable(name, cause: error.cause, neededBy: neededBy))
            return
        }
        loaded[name] = file
        if let soname = file.soname { loaded[soname] = file }
        order.append(file)
        // DT_RPATH also applies to a library's dependencies, DT_RUNPATH only to its own.
        let inherited = file.runpath.isEmpty ? file.rpath + inherited : []
        for needed in file.needed where loaded[needed] == nil {
            let folders = inherited + environmentFolders + file.runpath
            // Like glibc, which tries the next folder if the file is for another processor.
            let files = folders.map { $0 + "/" + needed }.filter { FileManager.default.fileExists(atPath: $0) }
            let candidate =
                files.first { ELFFile.isForThisProcessor($0) } ?? cache.path(of: needed) ?? files.first
            guard let candidate else {
                found.append(.missing(needed, neededBy: name))
                continue
            }
            visit(candidate, as: needed, neededBy: name, inherited: inherited)
        }
        for (library, versions) in file.neededVersions.sorted(by: { $0.key < $1.key }) {
            guard let provider = loaded[library], !provider.definedVersions.isEmpty else { continue }
            for version in versions where !provider.definedVersions.contains(version) {
                found.append(.missingVersion(library, version, neededBy: name))
            }
        }
    }
}

extension ELFFile {
    /// The last part of its path.
    fileprivate var name: String { URL(fileURLWithPath: path).lastPathComponent }
}
