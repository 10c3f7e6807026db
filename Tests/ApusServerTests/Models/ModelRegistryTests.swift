import Apus
import ApusServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import ModelTools
import ONNX
import Synchronization
import TestSupport
import Testing

@Suite(.enabled(if: TestRuntime.isWanted)) struct ModelRegistryTests {
    private static func registry(
        _ path: String, load: (@Sendable (String, Model) throws -> any ObjectDetector)? = nil
    ) -> ModelRegistry {
        ModelRegistry(
            [.init(name: "m", model: .file(path))], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            load: load ?? { try Detector(model: $1, configuration: .init(device: .cpu, precision: .f32)) })
    }

    /// A model whose first loading lasts until it is released.
    private final class SlowModel: Sendable {
        let registry: ModelRegistry
        private let begun = DispatchSemaphore(value: 0)
        private let released = DispatchSemaphore(value: 0)

        init(isGood: Bool = true) {
            let (begun, released) = (begun, released)
            let isFirst = Mutex(true)
            registry = ModelRegistryTests.registry("m.onnx") { _, _ in
                let waits = isFirst.withLock { isFirst in
                    defer { isFirst = false }
                    return isFirst
                }
                if waits {
                    begun.signal()
                    released.wait()
                }
                guard isGood else { throw ServerError.badRequest("no model") }
                return try Detector(configuration: .init(device: .cpu, precision: .f32))
            }
        }

        func begins() async {
            await withCheckedContinuation { waiting in
                DispatchQueue.global().async {
                    self.begun.wait()
                    waiting.resume()
                }
            }
        }

        func release() { released.signal() }
    }

    @Test func whoeverAsksForAModelMeanwhileGetsTheSame() async throws {
        let server = try await TestServer()
        let models = server.server.models
        try await server.test { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { try await models.load("demo") } }
                try await group.waitForAll()
            }
            // The first loading, and one more; a second where somebody came after that one had ended.
            #expect((2...3).contains(try models.model(nil).version))
            try models.unload("demo")
            try await client.execute(uri: "/metrics", method: .get) { response in
                #expect(!response.text.contains("apus_model_info{"))
                #expect(response.text.contains("apus_model_ready{model=\"demo\"} 0"))
            }
        }
    }

    @Test func aChangedModelIsLoadedAgainAndABadOneIsNot() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Model.demoBytes, to: "m.onnx")
        let registry = Self.registry(path)
        #expect(!registry.isReady)
        let loading = #expect(throws: ServerError.self) { try registry.model("m") }
        #expect(loading?.kind == .loading)
        try await registry.loadAll()
        let first = try registry.model("m")
        await registry.reloadChanged()
        await registry.reloadChanged()
        #expect(try registry.model("m") === first)

        try Data(Model.demoBytes).write(to: URL(fileURLWithPath: path))
        await registry.reloadChanged()  // it may still be being written
        #expect(try registry.model("m") === first)
        await registry.reloadChanged()
        #expect(try registry.model("m").version == 2)

        try Data("no model".utf8).write(to: URL(fileURLWithPath: path))
        for _ in 0..<3 { await registry.reloadChanged() }
        #expect(try registry.model("m").version == 2)
        #expect(registry.all[0].reloadFailure != nil && registry.isReady)

        try registry.unload("m")
        let unloaded = #expect(throws: ServerError.self) { try registry.model("m") }
        #expect(unloaded?.kind == .modelUnavailable)
        #expect(throws: ServerError.self) { try registry.unload("nobody") }
    }

    @Test func aModelWhoseWeightsLieInASecondFileIsLoadedAgainWhenThatChanges() async throws {
        let folder = try TemporaryFolder()
        let whole = try folder.write(Model.demoBytes, to: "whole.onnx")
        let path = folder.path("m.onnx")
        let weights = try #require(
            ONNXFile.write(ONNXFile.read(whole), to: path, maxBytes: 1_000_000).dataPath)
        let registry = Self.registry(path)
        try await registry.loadAll()
        for _ in 0..<2 { await registry.reloadChanged() }
        #expect(try registry.model("m").version == 1)
        try Data(contentsOf: URL(fileURLWithPath: weights)).write(to: URL(fileURLWithPath: weights))
        for _ in 0..<2 { await registry.reloadChanged() }
        #expect(try registry.model("m").version == 2)
    }

    /// A runtime may crash on a file: another process finds out, and the server loads only what passed.
    @Test func aChangedModelIsCheckedBeforeItIsLoaded() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Model.demoBytes, to: "m.onnx")
        let checks = Mutex(0)
        let loads = Mutex(0)
        let registry = ModelRegistry(
            [.init(name: "m", model: .file(path))], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            check: { name in
                let count = checks.withLock { count in
                    count += 1
                    return count
                }
                guard count > 1 else {
                    throw ApusError(.model, doing: "load the model \(name)", cause: "the runtime crashes on it")
                }
            },
            load: {
                loads.withLock { $0 += 1 }
                return try Detector(model: $1, configuration: .init(device: .cpu, precision: .f32))
            })
        // Nothing runs yet that could crash.
        try await registry.loadAll()
        #expect(checks.withLock { $0 } == 0 && loads.withLock { $0 } == 1)
        let error = await #expect(throws: ApusError.self) { try await registry.load("m") }
        #expect(error?.cause == "the runtime crashes on it")
        #expect(loads.withLock { $0 } == 1)
        #expect(try registry.model("m").version == 1)
        #expect(registry.all[0].reloadFailure?.contains("crashes") == true && registry.isReady)
        try await registry.load("m")
        #expect(checks.withLock { $0 } == 2 && loads.withLock { $0 } == 2)
        #expect(try registry.model("m").version == 2)
    }

    @Test(arguments: [true, false])
    func aModelThatIsUnloadedWhileItIsLoadedStaysAway(isGood: Bool) async throws {
        let model = SlowModel(isGood: isGood)
        let start = Task { try await model.registry.loadAll() }
        await model.begins()
        try model.registry.unload("m")
        model.release()
        try await start.value  // which does not end the server
        guard case .unloaded = model.registry.all[0].state else {
            Issue.record("\(model.registry.all)")
            return
        }
        #expect(model.registry.isReady)
    }

    @Test func whoAsksLastForAModelGetsIt() async throws {
        let model = SlowModel()
        let first = Task { try await model.registry.load("m") }
        await model.begins()
        try model.registry.unload("m")
        let last = Task { try await model.registry.load("m") }
        model.release()
        let error = await #expect(throws: ServerError.self) { try await first.value }
        #expect(error?.kind == .modelUnavailable)
        try await last.value
        #expect(try model.registry.model("m").version == 1)
    }

    @Test func whoIsCancelledEndsNobodyElsesLoad() async throws {
        let model = SlowModel()
        let first = Task { try await model.registry.load("m") }
        await model.begins()
        let second = Task { try await model.registry.loadAll() }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        model.release()
        try await second.value
        #expect(try model.registry.model("m").version == 1)
    }

    @Test func whatIsUnloadedBeforeItsTurnAtTheStartIsNotLoaded() async throws {
        let names = Mutex<[String]>([])
        let (begun, released) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let registry = ModelRegistry(
            ["big", "small"].map { .init(name: $0, model: .demo) },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { name, _ in
            names.withLock { $0.append(name) }
            begun.signal()
            released.wait()
            return try Detector(configuration: .init(device: .cpu, precision: .f32))
        }
        let start = Task { try await registry.loadAll() }
        await withCheckedContinuation { waiting in
            DispatchQueue.global().async {
                begun.wait()
                waiting.resume()
            }
        }
        try registry.unload("small")
        released.signal()
        try await start.value
        #expect(names.withLock(\.self) == ["big"] && registry.isReady)
    }

    @Test func whoAsksAfterTheFileWasReadGetsItReadAgain() async throws {
        let model = SlowModel()
        let first = Task { try await model.registry.load("m") }
        await model.begins()
        let later = (0..<5).map { _ in Task { try await model.registry.load("m") } }
        model.release()
        try await first.value
        for each in later { try await each.value }
        #expect((2...3).contains(try model.registry.model("m").version))
    }

    @Test func whatFailsSaysWhyAndMayBeTriedAgain() async throws {
        let model = SlowModel(isGood: false)
        model.release()
        await #expect(throws: ServerError.self) { try await model.registry.loadAll() }
        guard case .failed(let why) = model.registry.all[0].state else {
            Issue.record("\(model.registry.all)")
            return
        }
        #expect(why.contains("no model") && !model.registry.isReady)
        await #expect(throws: ServerError.self) { try await model.registry.load("m") }
    }

    @Test func whatWasUnloadedIsNotLoadedAgainWithTheOthers() async throws {
        let folder = try TemporaryFolder()
        let registry = Self.registry(try folder.write(Model.demoBytes, to: "m.onnx"))
        try await registry.loadAll()
        try registry.unload("m")
        await registry.reloadAll()
        await registry.reloadChanged()
        #expect(throws: ServerError.self) { try registry.model("m") }
    }
}
