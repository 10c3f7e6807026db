import Apus
import Foundation
import TestSupport
import Testing

/// The cache of compiled models, with a compiler that writes a few bytes.
@Suite struct CompiledModelStoreTests {
    private let folder: TemporaryFolder
    private var store: CompiledModelStore { CompiledModelStore(folder: folder.path("compiled")) }

    init() throws { folder = try TemporaryFolder() }

    private func key(shape: String = "1x3x8x8", driver: String = "1") -> CompiledModelStore.Key {
        CompiledModelStore.Key(
            model: "m", device: "GPU", deviceName: "Arc", deviceUUID: "u", driver: driver, onnxRuntime: "1.24.1",
            openVINO: "2025.4.1", precision: "f16", shape: shape)
    }

    /// As a device does: reads the blob that is there, else writes one.
    private func compile(_ cache: String?, size: Int = 100) throws -> String {
        guard let cache else { return "compiled" }
        let blob = cache + "/1.blob"
        if FileManager.default.fileExists(atPath: blob) { return "read" }
        try Data(repeating: 7, count: size).write(to: URL(fileURLWithPath: blob))
        return "compiled"
    }

    private func blob(_ key: CompiledModelStore.Key) throws -> String {
        let folders = try FileManager.default.contentsOfDirectory(atPath: folder.path("compiled"))
            .filter { !$0.hasSuffix(".lock") }
        let entry = try #require(folders.first)
        return folder.path("compiled/\(entry)/1.blob")
    }

    @Test func theSecondTimeItIsRead() throws {
        let first = try store.load(key()) { try compile($0) }
        #expect(first.compiled == "compiled" && first.origin == .compiled && first.note == nil)
        #expect(store.contains(key()))
        let second = try store.load(key()) { try compile($0) }
        #expect(second.compiled == "read" && second.origin == .cache)
    }

    @Test func anotherShapeOrDriverIsAnotherModel() throws {
        _ = try store.load(key()) { try compile($0) }
        #expect(try store.load(key(shape: "1x3x8x9")) { try compile($0) }.origin == .compiled)
        #expect(try store.load(key(driver: "2")) { try compile($0) }.origin == .compiled)
        #expect(try store.load(key()) { try compile($0) }.origin == .cache)
    }

    @Test(arguments: ["changed", "short", "gone", "manifest"])
    func aDamagedOneIsMadeAnew(how: String) throws {
        _ = try store.load(key()) { try compile($0) }
        let blob = try blob(key())
        let manifest = URL(fileURLWithPath: blob).deletingLastPathComponent().appendingPathComponent("manifest.json")
        switch how {
        case "changed": try Data([8] + [UInt8](repeating: 7, count: 99)).write(to: URL(fileURLWithPath: blob))
        case "short": try Data([7]).write(to: URL(fileURLWithPath: blob))
        case "gone": try FileManager.default.removeItem(atPath: blob)
        default: try Data("{".utf8).write(to: manifest)
        }
        #expect(!store.contains(key()))
        let again = try store.load(key()) { try compile($0) }
        #expect(again.compiled == "compiled" && again.origin == .compiled)
        #expect(again.note == "the cached model was damaged, so it was compiled again")
        #expect(try store.load(key()) { try compile($0) }.origin == .cache)
    }

    @Test func oneThatDoesNotLoadIsMadeAnew() throws {
        struct Refused: Error {}
        _ = try store.load(key()) { try compile($0) }
        let blob = try blob(key())
        let again = try store.load(key()) { cache in
            // The device refuses the blob of the first time.
            if let cache, FileManager.default.fileExists(atPath: cache + "/1.blob") { throw Refused() }
            return try compile(cache)
        }
        #expect(again.compiled == "compiled")
        #expect(again.note?.contains("did not load (Refused())") == true)
        #expect(FileManager.default.fileExists(atPath: blob))
    }

    @Test func anErrorThatIsNotTheCachesLeavesItAlone() throws {
        struct OutOfMemory: Error {}
        _ = try store.load(key()) { try compile($0) }
        var calls = 0
        #expect(throws: OutOfMemory.self) {
            try store.load(key()) { _ in
                calls += 1
                throw OutOfMemory()
            }
        }
        #expect(calls == 2)
        #expect(store.contains(key()))
    }

    @Test func whatTheDeviceRefusesAndRewritesIsNotKept() throws {
        _ = try store.load(key()) { try compile($0) }
        let again = try store.load(key()) { cache in
            try Data(repeating: 9, count: 50).write(to: URL(fileURLWithPath: try #require(cache) + "/2.blob"))
            return "compiled"
        }
        #expect(again.origin == .compiled && again.note?.contains("rejected") == true)
        #expect(!store.contains(key()))
        #expect(try store.load(key()) { try compile($0) }.origin == .compiled)
    }

    @Test func aModelThatDoesNotCompileLeavesNothing() throws {
        struct Impossible: Error {}
        #expect(throws: Impossible.self) { try store.load(key()) { _ in throw Impossible() } }
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path("compiled"))
        #expect(left.allSatisfy { $0.hasSuffix(".lock") })
    }

    @Test func aDeviceThatKeepsNothingIsSaid() throws {
        let made = try store.load(key()) { _ in "compiled" }
        #expect(made.origin == .notKept("the device exported nothing to store, or the disk is full"))
    }

    @Test func aFolderThatCannotBeWrittenIsNotFatal() throws {
        let made = try CompiledModelStore(folder: "/proc/apus").load(key()) { try compile($0) }
        #expect(made.compiled == "compiled")
        guard case .notKept(let why) = made.origin else {
            Issue.record("\(made.origin)")
            return
        }
        #expect(why.contains("/proc/apus cannot be used"))
    }

    @Test func manyAtOnceCompileOnce() async throws {
        let origins = await withTaskGroup(of: CompiledModelStore.Origin?.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    try? self.store.load(self.key()) { cache in
                        usleep(20_000)
                        return try self.compile(cache)
                    }.origin
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(origins.count { $0 == .compiled } == 1)
        #expect(origins.count { $0 == .cache } == 7)
    }

    @Test func readersDoNotWaitForEachOther() async throws {
        _ = try store.load(key()) { try compile($0) }
        let inside = DispatchSemaphore(value: 0)
        let done = DispatchSemaphore(value: 0)
        let first = Thread {
            _ = try? store.load(key()) { _ in
                inside.signal()
                done.wait()
                return "read"
            }
        }
        first.start()
        inside.wait()
        let impatient = CompiledModelStore(folder: folder.path("compiled"), wait: .milliseconds(100))
        #expect(try impatient.load(key()) { try compile($0) }.origin == .cache)
        done.signal()
    }

    @Test func aProcessThatHangsDoesNotHangOthers() throws {
        let inside = DispatchSemaphore(value: 0)
        let done = DispatchSemaphore(value: 0)
        let first = Thread {
            _ = try? store.load(key()) { cache in
                inside.signal()
                done.wait()
                return try compile(cache)
            }
        }
        first.start()
        inside.wait()
        let impatient = CompiledModelStore(folder: folder.path("compiled"), wait: .milliseconds(100))
        let made = try impatient.load(key()) { try compile($0) }
        #expect(made.compiled == "compiled")
        guard case .notKept(let why) = made.origin else {
            Issue.record("\(made.origin)")
            return
        }
        #expect(why.contains("another process holds"))
        done.signal()
    }

    @Test func whatIsDamagedCountsAndGoesToo() throws {
        let small = CompiledModelStore(folder: folder.path("compiled"), limit: 250)
        _ = try small.load(key(shape: "a")) { try compile($0, size: 200) }
        let blob = try blob(key(shape: "a"))
        let manifest = URL(fileURLWithPath: blob).deletingLastPathComponent().appendingPathComponent("manifest.json")
        try Data("{".utf8).write(to: manifest)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -10)], ofItemAtPath: manifest.path)
        _ = try small.load(key(shape: "b")) { try compile($0) }
        #expect(!FileManager.default.fileExists(atPath: blob))
    }

    @Test func theLongestUnusedGoesWhenTheLimitIsReached() throws {
        let small = CompiledModelStore(folder: folder.path("compiled"), limit: 250)
        for shape in ["a", "b"] { _ = try small.load(key(shape: shape)) { try compile($0) } }
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path("compiled"))
        where name.hasSuffix("manifest.json") {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -10)], ofItemAtPath: folder.path("compiled/\(name)"))
        }
        _ = try small.load(key(shape: "a")) { try compile($0) }  // b is now the one that was not used for longest
        _ = try small.load(key(shape: "c")) { try compile($0) }
        #expect(small.contains(key(shape: "a")))
        #expect(!small.contains(key(shape: "b")))
        #expect(small.contains(key(shape: "c")))
    }

    /// A folder that somebody names may hold other things.
    @Test func whatIsNotOursIsNeverTouched() throws {
        let foreign = [
            "thesis/data.bin", "notes.txt", "x.partial-1-2/data", "0123456789abcdef0123456789abcdef/data.bin",
            "0123456789abcdef0123456789abcdef.compiled.partial-old/data",
        ]
        for name in foreign { try folder.write([UInt8](repeating: 1, count: 1000), to: "compiled/\(name)") }
        for name in foreign.map({ $0.split(separator: "/")[0] }) {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -7200)], ofItemAtPath: folder.path("compiled/\(name)"))
        }
        let small = CompiledModelStore(folder: folder.path("compiled"), limit: 50)
        for shape in ["a", "b"] { _ = try small.load(key(shape: shape)) { try compile($0) } }
        for name in foreign {
            #expect(FileManager.default.fileExists(atPath: folder.path("compiled/\(name)")), "\(name)")
        }
        #expect(!small.contains(key(shape: "a")) && small.contains(key(shape: "b")))
    }

    @Test func whatADeadProcessLeftIsRemoved() throws {
        let left = folder.path("compiled/0123456789abcdef0123456789abcdef.compiled.partial-1-2")
        try FileManager.default.createDirectory(atPath: left, withIntermediateDirectories: true)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -7200)], ofItemAtPath: left)
        _ = try store.load(key()) { try compile($0) }
        #expect(!FileManager.default.fileExists(atPath: left))
    }
}
