import Apus
import Engine
import TestSupport
import Testing

/// The normalized tensor against torchvision's numbers for the same pictures.
@Suite struct PreprocessingTests {
    struct Golden: Decodable, Sendable, CustomTestStringConvertible {
        struct Sample: Decodable, Sendable { var c, y, x: Int, value: Double }
        var file: String
        var shortest, longest: Int
        var resizedSize: [Int]
        var mean, std: Double
        var samples: [Sample]

        var testDescription: String { file }
    }

    static let goldens: [Golden] = Fixtures.json("images/index.json") ?? []

    @Test func thereAreGoldens() { #expect(PreprocessingTests.goldens.count == 14) }

    @Test(arguments: goldens)
    func theTensorEqualsTorchvisions(golden: Golden) throws {
        let image = try Image(contentsOfFile: Fixtures.path("images/" + golden.file))
        let rule = ShortestEdge(shortest: golden.shortest, longest: golden.longest)
        let tensor = try Preprocessor(rule: rule, type: .float32).tensor(for: image)
        let (width, height) = (golden.resizedSize[0], golden.resizedSize[1])
        #expect(tensor.shape == [1, 3, height, width])
        let values = try tensor.elements(of: Float.self)
        for sample in golden.samples {
            let value = Double(values[(sample.c * height + sample.y) * width + sample.x])
            #expect(abs(value - sample.value) <= 1e-6)
        }
        let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
        let variance = values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(values.count - 1)
        #expect(abs(mean - golden.mean) <= 1e-6)
        #expect(abs(variance.squareRoot() - golden.std) <= 1e-6)
    }

    @Test func halfPrecisionIsTheRoundedTensor() throws {
        let image = try Image(contentsOfFile: Fixtures.path("images/palette.png"))
        let rule = ShortestEdge(shortest: 64, longest: 128)
        let full = try Preprocessor(rule: rule, type: .float32).tensor(for: image).elements(of: Float.self)
        let half = try Preprocessor(rule: rule, type: .float16).tensor(for: image).elements(of: Float16.self)
        #expect(half == full.map { Float16($0) })
    }

    @Test(.enabled(if: TestRuntime.isWanted)) func aModelsOwnRuleIsUsed() throws {
        let image = try Image(contentsOfFile: Fixtures.path("images/baseline.jpg"))
        let demo = try Preprocessor(model: .demo).tensor(for: image)
        let rule = try Preprocessor(rule: ShortestEdge(shortest: 256, longest: 427), type: .float32).tensor(for: image)
        #expect(demo.shape == [1, 3, 256, 341])
        #expect(try demo.elements(of: Float.self) == rule.elements(of: Float.self))
    }
}
