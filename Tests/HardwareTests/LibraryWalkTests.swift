import Foundation
import Hardware
import TestSupport
import Testing

/// Reads libraries that every Linux has, and damaged copies of them.
@Suite struct LibraryWalkTests {
    private let library: String

    init() throws { library = try #require(LibraryCache.system.path(of: "libstdc++.so.6")) }

    @Test func readsWhatALibraryNeedsAndOffers() throws {
        let file = try ELFFile(library)
        #expect(file.soname == "libstdc++.so.6")
        #expect(file.needed.contains("libc.so.6"))
        #expect(file.defined.contains("__cxa_throw"))
        #expect(!file.undefined.contains("__cxa_throw"))
        #expect(file.undefined.contains("malloc"))
        #expect(file.definedVersions.contains("GLIBCXX_3.4"))
        #expect(file.neededVersions["libc.so.6"]?.contains("GLIBC_2.2.5") == true)
    }

    @Test func aWholeLibraryHasNoProblems() {
        var walk = LibraryWalk(libraryPath: nil)
        #expect(walk.add(library).isEmpty)
    }

    @Test func allThatIsMissingIsNamedAndNotOnlyTheFirst() throws {
        let folder = try TemporaryFolder()
        var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: library)))
        bytes.patch("libm.so.6", "libm.so.9")
        bytes.patch("libgcc_s.so.1", "libgcc_s.so.9")
        let path = try folder.write(bytes, to: "libbroken.so")
        var walk = LibraryWalk(libraryPath: nil)
        let problems = walk.add(path)
        #expect(
            Set(problems) == [
                .missing("libm.so.9", neededBy: "libbroken.so"), .missing("libgcc_s.so.9", neededBy: "libbroken.so"),
            ])
    }

    /// As where a part that is loaded later needs a library that is there, but cannot be loaded itself.
    @Test func whatIsMissingIsNamedForEachPartThatNeedsIt() throws {
        let folder = try TemporaryFolder()
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: library)))
        var broken = bytes
        broken.patch("libgcc_s.so.1", "libgcc_s.so.9")
        broken.patch("libstdc++.so.6", "libstdcXX.so.6")
        try folder.write(broken, to: "libm.so.9")
        var walk = LibraryWalk(libraryPath: folder.url.path)
        for name in ["libone.so", "libtwo.so"] {
            var part = bytes
            part.patch("libm.so.6", "libm.so.9")
            let path = try folder.write(part, to: name)
            #expect(walk.add(path).contains(.missing("libgcc_s.so.9", neededBy: "libm.so.9")), "\(name)")
        }
    }

    @Test func aLibraryForAnotherProcessorIsPassedOver() throws {
        let folder = try TemporaryFolder()
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: library)))
        var foreign = bytes
        foreign[18] = 183
        try folder.write(foreign, to: "one/libm.so.9")
        try folder.write(bytes, to: "two/libm.so.9")
        var part = bytes
        part.patch("libm.so.6", "libm.so.9")
        let path = try folder.write(part, to: "libpart.so")
        var walk = LibraryWalk(libraryPath: folder.path("one") + ":" + folder.path("two"))
        #expect(!walk.add(path).contains { if case .unusable = $0 { true } else { false } })
        var alone = LibraryWalk(libraryPath: folder.path("one"))
        #expect(alone.add(path).contains { $0.text.contains("for another processor") })
    }

    @Test func symbolsThatNobodyDefinesAreNamed() throws {
        let folder = try TemporaryFolder()
        var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: library)))
        bytes.patch("\0mbsnrtowcs\0", "\0mbsnrtowcX\0")
        var walk = LibraryWalk(libraryPath: nil)
        let problems = walk.add(try folder.write(bytes, to: "libmixed.so"))
        #expect(problems == [.undefinedSymbols(["mbsnrtowcX"], in: "libmixed.so")])
        #expect(problems[0].text.contains("that no library defines: mbsnrtowcX"))
    }

    @Test func aLibraryThatIsTooOldIsNamed() throws {
        let folder = try TemporaryFolder()
        var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: library)))
        bytes.patch("GLIBC_2.14\0", "GLIBC_9.14\0")
        var walk = LibraryWalk(libraryPath: nil)
        let problems = walk.add(try folder.write(bytes, to: "libnew.so"))
        #expect(problems.contains(.missingVersion("libc.so.6", "GLIBC_9.14", neededBy: "libnew.so")))
    }

    @Test func filesThatAreNoLibrariesOrCutShortAreErrors() throws {
        let folder = try TemporaryFolder()
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: library)))
        func cause(_ bytes: [UInt8]) throws -> String? {
            let path = try folder.write(bytes, to: "lib.so")
            return #expect(throws: HardwareError.self) { try ELFFile(path) }?.cause
        }
        #expect(try cause([]) == "the file is empty")
        #expect(try cause(Array("#!/bin/sh\n".utf8)) == "it is not a shared library (no ELF header)")
        var other = bytes
        other[18] = 183
        #expect(try cause(other) == "it is a library for another processor, not for x86-64")
        for length in [64, 100, 1000, bytes.count / 2] {
            #expect(try cause(Array(bytes[..<length]))?.contains("damaged or truncated") == true)
        }
        #expect(throws: HardwareError("/no/lib.so", "there is no such file")) { try ELFFile("/no/lib.so") }
    }

    @Test func anyDamageIsAnErrorAndNeverACrash() throws {
        let folder = try TemporaryFolder()
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: library)))
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            var damaged = bytes
            // Headers and tables lie in the first part.
            for _ in 0..<20 {
                damaged[Int.random(in: 4..<4096, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            let path = try folder.write(damaged, to: "lib.so")
            _ = try? ELFFile(path)
        }
    }
}

extension [UInt8] {
    /// Overwrites all of a text by another of the same length.
    fileprivate mutating func patch(_ old: String, _ new: String) {
        let (old, new) = (Data(old.utf8), Data(new.utf8))
        precondition(old.count == new.count)
        var data = Data(self)
        var position = data.startIndex
        while let found = data.range(of: old, in: position..<data.endIndex) {
            data.replaceSubrange(found, with: new)
            position = found.upperBound
        }
        self = Array(data)
    }
}
