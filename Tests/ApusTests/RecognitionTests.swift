import Apus
import Imaging
import ONNXRuntime
import Testing

@Suite struct RecognitionTests {
    private typealias Dimension = ValueInfo.Dimension

    private func value(_ name: String, _ dimensions: [Int?], _ type: ElementType? = .float32) -> ValueInfo {
        ValueInfo(
            name: name, elementType: type, dimensions: dimensions.map { $0.map(Dimension.fixed) ?? .dynamic(nil) })
    }

    private func recognize(
        _ inputs: [ValueInfo], _ outputs: [ValueInfo], _ metadata: [String: String] = [:]
    ) throws -> any ModelFamily {
        try ModelFamilies.recognize(ModelSignature(inputs: inputs, outputs: outputs, metadata: metadata))
    }

    private var image: ValueInfo { value("pixels", [nil, 3, nil, nil]) }

    @Test func detrIsRecognizedByItsOutputsAndSaysWhatItAssumed() throws {
        let family = try recognize(
            [image], [value("pred_logits", [nil, nil, 92]), value("pred_boxes", [nil, nil, 4])])
        #expect(family.classCount == 91)
        #expect(family.labels == nil)
        #expect(
            family.assumptions == [
                "family detr, from the outputs pred_logits and pred_boxes",
                "resize rule: shortest side 800, longest at most 1333 (DETR's)",
                "pixels normalized with ImageNet's mean and deviation",
            ])
    }

    @Test func shapesDecideWhereNamesDoNot() throws {
        let family = try recognize([image], [value("b", [1, 100, 4]), value("a", [1, 100, 21])])
        #expect(family.assumptions[0] == "family detr, from the outputs a and b")
        #expect(family.classCount == 20)
    }

    @Test func threeClassesAreToldFromBoxesByName() throws {
        let family = try recognize([image], [value("boxes", [1, 9, 4]), value("logits", [1, 9, 4])])
        #expect(family.classCount == 3)
        #expect(throws: ApusError.self) { try recognize([image], [value("b", [1, 9, 4]), value("a", [1, 9, 4])]) }
    }

    @Test func metadataLeavesNothingToAssume() throws {
        let metadata = [
            "family": "detr", "shortest": "64", "longest": "128", "mean": "0, 0.5,1", "std": "1,1,1",
            "labels": #"{"3": "three"}"#,
        ]
        let family = try recognize([image], [value("logits", [1, 9, 5]), value("boxes", [1, 9, 4])], metadata)
        #expect(family.assumptions.isEmpty)
        #expect(family.labels?[3] == "three")
        #expect(family.inputSize(width: 200, height: 100, on: nil) == PixelSize(width: 128, height: 64))
    }

    @Test(arguments: [
        ("shortest", "many"), ("shortest", "0"), ("longest", "10001"), ("longest", "-5"), ("mean", "1,2"),
        ("std", "a,b,c"), ("std", "1,0,1"),
        ("mean", "nan,0,0"), ("labels", "person"), ("labels", #"{"x": "y"}"#),
    ])
    func wrongMetadataIsAnErrorAndNeverADefault(key: String, text: String) throws {
        let metadata = ["family": "detr", "shortest": "64", "longest": "128"].merging([key: text]) { $1 }
        let error = #expect(throws: ApusError.self) {
            try recognize([image], [value("logits", [1, 9, 5]), value("boxes", [1, 9, 4])], metadata)
        }
        #expect(error?.code == .model)
        #expect(error?.doing == "read the model's metadata \(key)")
    }

    @Test(arguments: [[1, 3, 0, 64], [1, 3, 64, 1_000_000], [0, 3, 64, 64], [5_000, 3, 640, 640]])
    func aFixedSizeThatNoPictureFitsIsAnErrorBeforeMemoryIsTaken(dimensions: [Int]) throws {
        let outputs = [value("logits", [1, 9, 5]), value("boxes", [1, 9, 4])]
        let error = #expect(throws: ApusError.self) { try recognize([value("x", dimensions)], outputs) }
        #expect(error?.code == .model)
        #expect(error?.remedy != nil)
    }

    @Test func aMaskOfImpossibleSizeIsAnErrorBeforeMemoryIsTaken() {
        let outputs = [value("logits", [1, 9, 5]), value("boxes", [1, 9, 4])]
        let mask = value("pixel_mask", [1, 1_000_000, 1_000_000], .int64)
        let error = #expect(throws: ApusError.self) { try recognize([image, mask], outputs) }
        #expect(error?.code == .model)
    }

    @Test func aFixedBatchOfPicturesTooLargeTogetherIsAnError() throws {
        let outputs = [value("logits", [nil, 9, 5]), value("boxes", [nil, 9, 4])]
        let family = try recognize([value("x", [9_000, 3, nil, nil])], outputs)
        let picture = Bitmap(width: 200, height: 100, pixels: [UInt8](repeating: 0, count: 60_000))
        let error = #expect(throws: ApusError.self) { try family.inputs(for: [picture], on: nil) }
        #expect(error?.code == .model && error?.remedy != nil)
    }

    @Test func anUnknownFamilyIsNamed() {
        let error = #expect(throws: ApusError.self) {
            try recognize([image], [value("logits", [1, 9, 5]), value("boxes", [1, 9, 4])], ["family": "yolo"])
        }
        #expect(error?.code == .notADetector)
        #expect(error?.remedy == "This version of Apus knows detr.")
    }

    @Test func whatIsNoDetectorIsSaidToBeNoneWithWhatItIs() {
        let outputs = [value("logits", [1, 9, 5]), value("boxes", [1, 9, 4])]
        let notDetectors: [([ValueInfo], [ValueInfo])] = [
            ([image], [value("scores", [1, 1000])]),
            ([value("x", [1, 10])], outputs),
            ([value("x", [1, 3, 8, 8], .int64)], outputs),
            ([value("x", [1, 1, 8, 8])], outputs),
            ([image, value("prompt", [1, 77], .int64)], outputs),
            ([image, value("a", [1, 2, 3]), value("pixel_mask", [1, 2, 3], .int64)], outputs),
            ([], []),
        ]
        for (inputs, outputs) in notDetectors {
            let error = #expect(throws: ApusError.self) { try recognize(inputs, outputs) }
            #expect(error?.code == .notADetector)
            #expect(error?.remedy?.contains("A DETR model takes a picture") == true)
        }
    }

    @Test(arguments: [["shortest": "64"], ["longest": "64"], ["mean": "0,0,0"], ["std": "1,1,1"]])
    func halfOfAPairOfMetadataIsAnError(metadata: [String: String]) {
        let error = #expect(throws: ApusError.self) {
            try recognize([image], [value("logits", [1, 9, 5]), value("boxes", [1, 9, 4])], metadata)
        }
        #expect(error?.code == .model)
    }

    @Test func oneFixedSideKeepsTheShape() throws {
        let outputs = [value("logits", [1, 9, 5]), value("boxes", [1, 9, 4])]
        let high = try recognize([value("x", [1, 3, 800, nil])], outputs)
        #expect(high.inputSize(width: 600, height: 1200, on: nil) == PixelSize(width: 400, height: 800))
        let wide = try recognize([value("x", [1, 3, nil, 640])], outputs)
        #expect(wide.inputSize(width: 1280, height: 100, on: nil) == PixelSize(width: 640, height: 50))
        #expect(wide.assumptions.contains { $0.contains("one side of the model's input is fixed") })
    }

    @Test func aFixedInputStretchesAndSaysSo() throws {
        let family = try recognize(
            [value("x", [1, 3, 480, 640])], [value("logits", [1, 9, 5]), value("boxes", [1, 9, 4])])
        #expect(family.inputSize(width: 100, height: 900, on: nil) == PixelSize(width: 640, height: 480))
        #expect(family.assumptions.contains("the model's input is fixed at 640x480: every picture is stretched to it"))
    }
}
