import Engine
import Testing

@Suite struct TensorTests {
    @Test func keepsShapeAndElements() throws {
        let tensor = try Tensor(shape: [2, 3], scalars: [1, 2, 3, 4, 5, 6] as [Float])
        #expect(tensor.shape == [2, 3])
        #expect(tensor.count == 6)
        #expect(try tensor.elements(of: Float.self) == [1, 2, 3, 4, 5, 6])
    }

    @Test func fillWritesInPlaceOverZeros() throws {
        let tensor = try Tensor(Int64.self, shape: [4]) { $0[2] = 7 }
        #expect(try tensor.elements(of: Int64.self) == [0, 0, 7, 0])
    }

    @Test func readingAsAnotherTypeIsAnError() throws {
        let tensor = try Tensor(shape: [1], scalars: [1] as [Float])
        let error = #expect(throws: EngineError.self) { try tensor.elements(of: Int64.self) }
        #expect(error?.code == .invalidInput)
        #expect(error?.cause == "its elements are f32")
    }

    @Test(arguments: [[2, -1], [Int.max, 2], [1 << 40, 1 << 40]])
    func impossibleShapesAreErrors(_ shape: [Int]) {
        let error = #expect(throws: EngineError.self) { try Tensor(Float.self, shape: shape) { _ in } }
        #expect(error?.code == .invalidInput)
    }

    @Test func countOfScalarsMustMatchTheShape() {
        let error = #expect(throws: EngineError.self) { try Tensor(shape: [3], scalars: [1, 2] as [Float]) }
        #expect(error?.cause == "it has 3 elements, but there are 2 values")
    }

    @Test func anEmptyTensorHasNoElements() throws {
        #expect(try Tensor(shape: [0, 4], scalars: [] as [Float]).count == 0)
    }

    @Test func bfloat16RoundsToNearestEven() {
        #expect(BFloat16(1).bits == 0x3F80)
        #expect(BFloat16(Float(bitPattern: 0x3F80_8000)).bits == 0x3F80)  // tie, down to even
        #expect(BFloat16(Float(bitPattern: 0x3F81_8000)).bits == 0x3F82)  // tie, up to even
        #expect(BFloat16(Float(bitPattern: 0x3F80_8001)).bits == 0x3F81)
        #expect(BFloat16(.greatestFiniteMagnitude).float == .infinity)
        #expect(BFloat16(.nan).float.isNaN)
        #expect(BFloat16(-2.5).float == -2.5)
    }
}
