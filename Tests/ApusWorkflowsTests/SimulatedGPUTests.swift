import Apus
import ApusWorkflows
import Foundation
import Hardware
import TestSupport
import Testing

/// Under Scripts/simulated-gpu.sh: a GPU that compiles and whose answers are garbage.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["APUS_SIMULATED_GPU"] != nil), .serialized)
struct SimulatedGPUTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func configuration(_ device: Device = .auto) -> Detector.Configuration {
        var configuration = Detector.Configuration(device: device, cache: .folder(folder.path("cache")))
        configuration.verdicts = folder.path("verdicts")
        configuration.watchesAnswers = false
        return configuration
    }

    @Test func theGPUIsListedWithItsFacts() throws {
        let list = DeviceList(runtime: nil)
        let gpu = try #require(list.devices.first { $0.id.hasPrefix("GPU") })
        #expect(gpu.kind == "discrete GPU")
        #expect(gpu.executionUnits == 512)
        #expect(gpu.capabilities.contains("FP16") && gpu.capabilities.contains("INT8"))
        #expect(gpu.hasMatrixEngine)
        #expect(gpu.precisions == [.f16, .f32])
        #expect(gpu.driverVersion?.isEmpty == false)
        #expect((gpu.totalMemory ?? 0) > 1 << 30)
        let openCL = try #require(gpu.opencl)
        #expect(openCL.computeUnits == 512 && openCL.subSlices == 32 && openCL.subGroupSizes == [8, 16, 32])
        #expect(openCL.hasFP16 && openCL.hasAtomics64)
        #expect(list.automatic == gpu.id)
        #expect(list.automaticReason == "auto: the first discrete Intel GPU that OpenVINO finds")
    }

    @Test func compilesForItsCanvasesOnceAndReadsThemTheSecondTime() throws {
        var asked = configuration()
        asked.shapes = .canvases([PixelSize(width: 448, height: 256), PixelSize(width: 256, height: 448)])
        let first = try Detector(configuration: asked)
        #expect(first.execution.device.hasPrefix("GPU"))
        #expect(first.execution.precision == .f16)
        #expect(first.execution.nodes?.keys.sorted() == ["OpenVINOExecutionProvider"])
        #expect(first.compiledShapes.map(\.origin) == [.compiled, .compiled])

        let second = try Detector(configuration: asked)
        #expect(second.compiledShapes.map(\.origin) == [.cache, .cache])
        #expect(second.compiledShapes.allSatisfy { $0.note == nil })

        // Twelve sizes later nothing more is compiled.
        func contents() throws -> Set<String> {
            Set(try FileManager.default.subpathsOfDirectory(atPath: folder.path("cache")))
        }
        let before = try contents()
        for size in 1...12 {
            let image = try Image(
                width: 100 + 40 * size, height: 700 - 40 * size,
                rgb: [UInt8](repeating: 9, count: 3 * (100 + 40 * size) * (700 - 40 * size)))
            _ = try second.answer(image, threshold: 0.5)
        }
        #expect(try contents() == before)
        #expect(second.compiledShapes.count == 2)
    }

    @Test func aDamagedCacheIsCompiledAnew() throws {
        var asked = configuration()
        asked.shapes = .canvases([PixelSize(width: 448, height: 256)])
        _ = try Detector(configuration: asked)
        let cache = folder.path("cache")
        let blob = try #require(
            try FileManager.default.subpathsOfDirectory(atPath: cache).first { $0.hasSuffix(".blob") })
        var data = try Data(contentsOf: URL(fileURLWithPath: "\(cache)/\(blob)"))
        for index in stride(from: 1000, to: data.count, by: 5000) { data[index] ^= 0xff }
        try FileManager.default.removeItem(atPath: "\(cache)/\(blob)")
        try data.write(to: URL(fileURLWithPath: "\(cache)/\(blob)"))
        let again = try Detector(configuration: asked)
        #expect(again.compiledShapes.map(\.origin) == [.compiled])
        #expect(again.compiledShapes.first?.note == "the cached model was damaged, so it was compiled again")
        #expect(try Detector(configuration: asked).compiledShapes.map(\.origin) == [.cache])
    }

    @Test func verificationRejectsItsAnswers() throws {
        var asked = configuration(.gpu(nil))
        asked.precision = .f16
        let verifier = Verifier(model: .demo, configuration: asked, reference: .cpu)
        let pictures = try SamplePictures.all()
        let report = try verifier.report(on: Array(pictures.prefix(1))) { _ in }
        #expect(report.fastest == nil)
        let candidate = try #require(report.candidates.first)
        #expect(!candidate.passed && candidate.matched == 0 && candidate.lost == report.objects)
        #expect(report.objects > 0)
        #expect(candidate.outputs.keys.sorted() == ["pred_boxes", "pred_logits"])
        #expect(candidate.outputs.values.allSatisfy { !($0.correlation > 0.5) })

        #expect(try Detector(configuration: asked).execution.verification.state == .no)
        asked.requiresVerified = true
        let error = #expect(throws: ApusError.self) { try Detector(configuration: asked) }
        #expect(error?.code == .verification)
        #expect(error?.cause.contains("its results there were found wrong") == true)
    }
}
