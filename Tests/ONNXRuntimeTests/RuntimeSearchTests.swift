import Engine
import Foundation
import ONNXRuntime
import Remedies
import TestSupport
import Testing

@Suite struct RuntimeSearchTests {
    private func find(
        explicit: String? = nil, environment: [String: String] = [:], executable: String? = nil
    ) throws -> RuntimeLocation {
        try RuntimeSearch.find(
            explicit: explicit, environment: ["HOME": "/nonexistent"].merging(environment) { $1 },
            executable: executable)
    }

    @Test func anExplicitFolderComesFirst() throws {
        let folder = try TemporaryFolder()
        try folder.write([], to: "a/libonnxruntime.so.1.24.1")
        try folder.write([], to: "b/libonnxruntime.so.1.24.1")
        let found = try find(explicit: folder.path("a"), environment: ["APUS_RUNTIME": folder.path("b")])
        #expect(found.folder == folder.path("a"))
        #expect(found.origin == "the runtime option")
        #expect(try find(environment: ["APUS_RUNTIME": folder.path("b")]).folder == folder.path("b"))
    }

    @Test func aNamedFolderWithoutTheRuntimeIsAnErrorAndNotSkipped() throws {
        let folder = try TemporaryFolder()
        try folder.write([], to: "home/.local/share/apus/runtime/1.24.1/libonnxruntime.so")
        let environment = ["HOME": folder.path("home"), "APUS_RUNTIME": folder.url.path]
        let error = #expect(throws: EngineError.self) { try find(environment: environment) }
        #expect(error?.code == .runtimeNotFound)
        #expect(error?.cause == "APUS_RUNTIME is set to \(folder.url.path), which does not contain libonnxruntime.so")
    }

    @Test func besideTheExecutableComesBeforeTheFolderOfSetup() throws {
        let folder = try TemporaryFolder()
        try folder.write([], to: "home/.local/share/apus/runtime/1.24.1/libonnxruntime.so")
        let environment = ["HOME": folder.path("home")]
        let executable = folder.path("bin/apus")
        #expect(try find(environment: environment, executable: executable).origin == "installed by setup")
        try folder.write([], to: "lib/apus/libonnxruntime.so.1.24.1")
        #expect(try find(environment: environment, executable: executable).folder == folder.path("lib/apus"))
        try folder.write([], to: "bin/libonnxruntime.so.1.24.1")
        let beside = try find(environment: environment, executable: executable)
        #expect(beside.folder == folder.path("bin"))
        #expect(beside.origin == "next to the executable")
    }

    @Test func aFileNamesTheLibraryItself() throws {
        let folder = try TemporaryFolder()
        let library = try folder.write([], to: "libonnxruntime.so.1.22.0")
        #expect(try find(explicit: library).library == library)
    }

    @Test func ofSeveralVersionsTheLatestIsTaken() throws {
        let folder = try TemporaryFolder()
        try folder.write([], to: "libonnxruntime.so.1.9.0")
        try folder.write([], to: "libonnxruntime.so.1.24.1")
        #expect(try find(explicit: folder.url.path).library == folder.path("libonnxruntime.so.1.24.1"))
    }

    @Test func whenThereIsNoneTheErrorSaysWhereItLookedAndWhatToDo() throws {
        let error = #expect(throws: EngineError.self) { try find(executable: "/nonexistent/bin/apus") }
        #expect(error?.cause.contains("/nonexistent/.local/share/apus/runtime/1.24.1") == true)
        #expect(error?.cause.contains("/nonexistent/bin") == true)
        #expect(error?.remedy?.text(for: .command).contains("make setup") == true)
    }
}
