import Apus
import Engine
import Imaging
import Remedies
import Testing

@Suite struct RecognitionTests {
    private typealias Dimension = ValueInfo.Dimension

    private func value(_ name: String, _ dimensions: [Int?], _ type: ElementType? = .float32) -> ValueInfo {
        ValueInfo(
            name: name, elementType: type, dimensions: dimensions.map { $0.map(Dimension.fixed) ?? .dynamic(nil) })
    }

    private func recognized(
        _ outputs: [ValueInfo], inputs: [ValueInfo]? = nil, _ metadata: [String: String] = [:],
        operators: Set<String> = [], scored: [String: String] = [:], modelType: String? = nil, chosen: Family? = nil
    ) throws -> RecognizedFamily {
        var companions = ModelDescription.Companions()
        companions.modelType = modelType
        return try ModelFamilies.recognize(
            ModelDescription(
                ModelSignature(inputs: inputs ?? [image], outputs: outputs, metadata: metadata), operators: operators,
                scoredOutputs: scored, companions: companions),
            chosen: chosen)
    }

    private func recognize(
        _ inputs: [ValueInfo], _ outputs: [ValueInfo], _ metadata: [String: String] = [:], chosen: Family? = nil
    ) throws -> any ModelAdapter {
        try recognized(outputs, inputs: inputs, metadata, chosen: chosen).family
    }

    private func content(_ family: any ModelAdapter, _ width: Int, _ height: Int) -> PixelSize {
        family.inputs.placement(of: PixelSize(width: width, height: height)).content
    }

    private var image: ValueInfo { value("pixels", [nil, 3, nil, nil]) }

    // MARK: Evidence

    @Test func theOriginalExportIsRecognizedByItsOutputs() throws {
        for classes in [2, 22, 91, 92, 367] {
            let found = try recognized(
                [value("pred_logits", [nil, nil, classes]), value("pred_boxes", [nil, nil, 4])],
                operators: ["Conv", "MatMul", "Softmax"])
            #expect(found.name == "detr" && found.family.classCount == classes - 1)
            #expect(
                found.evidence
                    == "outputs pred_logits and pred_boxes, and no GridSample, as in the original DETR's exports")
        }
    }

    @Test func whatNothingTellsIsAssumedAndSaid() throws {
        let family = try recognize(
            [image], [value("pred_logits", [nil, nil, 92]), value("pred_boxes", [nil, nil, 4])])
        #expect(family.classCount == 91)
        #expect(family.labels == .coco)
        #expect(
            family.assumptions == [
                "resize rule: shortest side 800, longest at most 1333 (DETR's)",
                "pixels normalized with ImageNet's mean and deviation",
                "labels: COCO's, as the model has 91 classes",
            ])
    }

    /// Outputs that fit several families, each of which decodes them differently.
    static let ambiguous: [(outputs: [(String, Int)], candidates: [String])] = [
        ([("dets", 4), ("labels", 91)], ["detr", "rf-detr"]),
        ([("logits", 80), ("pred_boxes", 4)], ["detr", "conditional-detr", "deformable-detr", "rt-detr"]),
        ([("logits", 91), ("pred_boxes", 4)], ["detr", "conditional-detr", "deformable-detr", "rt-detr"]),
        ([("logits", 92), ("pred_boxes", 4)], ["detr", "conditional-detr", "deformable-detr", "rt-detr"]),
        ([("logits", 4), ("pred_boxes", 4)], ["detr", "conditional-detr", "deformable-detr", "rt-detr"]),
        ([("a", 21), ("b", 4)], ["detr", "conditional-detr", "deformable-detr", "rt-detr", "rf-detr"]),
        ([("b", 4), ("a", 21)], ["detr", "conditional-detr", "deformable-detr", "rt-detr", "rf-detr"]),
        ([("pred_boxes", 4), ("scores", 80)], ["detr", "conditional-detr", "deformable-detr", "rt-detr", "rf-detr"]),
    ]

    @Test(arguments: ambiguous) func outputsOfSeveralFamiliesAreAnErrorThatNamesThem(
        outputs: [(String, Int)], candidates: [String]
    ) throws {
        let outputs = outputs.map { value($0.0, [1, 300, $0.1]) }
        let error = #expect(throws: ApusError.self) { try recognized(outputs) }
        #expect(error?.code == .ambiguousModel)
        let named = error?.cause.split(separator: "\n").dropFirst().compactMap { $0.split(separator: " ").first }
        #expect(named?.map(String.init) == candidates)
        #expect(error?.cause.contains("sigmoid scores") == true && error?.cause.contains("softmax scores") == true)
        #expect(error?.advice?.text(for: .command).contains("--family detr") == true)
        #expect(error?.advice?.text(for: .command).contains("--family rf-detr") == false)
        // The user's choice decides.
        let chosen = try recognized(outputs, chosen: .detr)
        #expect(chosen.name == "detr" && chosen.evidence == "as chosen")
    }

    @Test func deformableAttentionIsNeverDETR() {
        let outputs = [value("pred_logits", [1, 300, 91]), value("pred_boxes", [1, 300, 4])]
        for (metadata, modelType, chosen) in [
            ([:], nil, nil), (["family": "detr"], nil, nil), ([:], "detr", nil), ([:], nil, .detr),
            (["scoring": "softmax"], nil, nil),
        ] as [([String: String], String?, Family?)] {
            let error = #expect(throws: ApusError.self) {
                try recognized(
                    outputs, metadata, operators: ["GridSample"], modelType: modelType, chosen: chosen)
            }
            #expect(error?.code == .notADetector)
            #expect(error?.cause.contains("GridSample") == true)
        }
    }

    @Test func deformableAttentionLeavesTheFamiliesThatHaveIt() {
        let error = #expect(throws: ApusError.self) {
            try recognized(
                [value("logits", [1, 300, 80]), value("pred_boxes", [1, 300, 4])], operators: ["GridSample"])
        }
        #expect(error?.code == .notADetector && error?.cause.contains("GridSample") == true)
        #expect(error?.cause.contains("deformable-detr") == true && error?.cause.contains("rt-detr") == true)
        #expect(error?.cause.contains("conditional-detr") == false)
        #expect(error?.advice?.text(for: .command).contains("--family") == false)
    }

    @Test(arguments: ["Softmax", "Sigmoid"]) func scoresAreNotTakenForLogits(operation: String) {
        let outputs = [value("pred_logits", [1, 300, 91]), value("pred_boxes", [1, 300, 4])]
        let error = #expect(throws: ApusError.self) { try recognized(outputs, scored: ["pred_logits": operation]) }
        #expect(error?.code == .notADetector && error?.cause.contains(operation) == true)
        // Boxes may come out of a sigmoid: DETR's do.
        #expect(throws: Never.self) { try recognized(outputs, scored: ["pred_boxes": "Sigmoid"]) }
    }

    /// Conditional and DAB DETR's own repositories name their outputs as DETR does, and score by a sigmoid.
    @Test(arguments: ["Log", "RoiAlign", "TopK", "NonMaxSuppression"])
    func operatorsThatDETRLacksMakeItUncertain(operation: String) throws {
        let outputs = [value("pred_logits", [1, 300, 91]), value("pred_boxes", [1, 300, 4])]
        let error = #expect(throws: ApusError.self) { try recognized(outputs, operators: ["MatMul", operation]) }
        #expect(error?.code == .ambiguousModel)
        #expect(try recognized(outputs, operators: ["MatMul", operation], chosen: .detr).name == "detr")
    }

    @Test func headsOfInnerLayersAreNotTaken() throws {
        let outputs = [
            value("aux_logits", [1, 100, 92]), value("aux_boxes", [1, 100, 4]), value("pred_logits", [1, 100, 92]),
            value("pred_boxes", [1, 100, 4]),
        ]
        #expect(try recognized(outputs).family.outputNames == ["pred_logits", "pred_boxes"])
        // Of other numbers of queries they don't belong together.
        let apart = [value("pred_logits", [1, 300, 92]), value("pred_boxes", [1, 100, 4])]
        #expect(throws: ApusError.self) { try recognized(apart) }
        #expect(throws: ApusError.self) { try recognized(apart, chosen: .detr) }
    }

    @Test func scoringInTheMetadataDecides() throws {
        let outputs = [value("logits", [1, 300, 91]), value("pred_boxes", [1, 300, 4])]
        #expect(try recognized(outputs, ["scoring": "softmax"]).name == "detr")
        for outputs in [outputs, [value("pred_logits", [1, 300, 91]), value("pred_boxes", [1, 300, 4])]] {
            let error = #expect(throws: ApusError.self) { try recognized(outputs, ["scoring": "sigmoid"]) }
            #expect(error?.cause.contains("sigmoid") == true)
        }
        let error = #expect(throws: ApusError.self) { try recognized(outputs, ["scoring": "argmax"]) }
        #expect(error?.code == .model && error?.doing == "read the model's metadata scoring")
        let both = #expect(throws: ApusError.self) {
            try recognized(outputs, ["family": "detr", "scoring": "sigmoid"])
        }
        #expect(both?.code == .notADetector)
    }

    @Test func huggingFacesConfigDecides() throws {
        let outputs = [value("logits", [1, 100, 92]), value("pred_boxes", [1, 100, 4])]
        let found = try recognized(outputs, modelType: "detr")
        #expect(found.name == "detr" && found.evidence == "model_type detr in config.json")
        for (modelType, meaning) in [
            ("conditional_detr", "sigmoid"), ("rt_detr_v2", "sigmoid"), ("d_fine", "sigmoid"),
            ("resnet", "not a detector that Apus knows"),
        ] {
            let error = #expect(throws: ApusError.self) { try recognized(outputs, modelType: modelType) }
            #expect(error?.code == .notADetector)
            #expect(error?.cause.contains("model_type \(modelType)") == true)
            #expect(error?.cause.contains(meaning) == true)
        }
        // Metadata in the file is stronger, and the user is strongest.
        #expect(try recognized(outputs, ["family": "detr"], modelType: "rt_detr").evidence == "from its metadata")
        #expect(try recognized(outputs, modelType: "rt_detr", chosen: .detr).evidence == "as chosen")
    }

    @Test func threeClassesAreToldFromBoxesByName() throws {
        let family = try recognize([image], [value("pred_boxes", [1, 9, 4]), value("pred_logits", [1, 9, 4])])
        #expect(family.classCount == 3)
        #expect(throws: ApusError.self) { try recognize([image], [value("b", [1, 9, 4]), value("a", [1, 9, 4])]) }
        #expect(throws: ApusError.self) {
            try recognize([image], [value("b", [1, 9, 4]), value("a", [1, 9, 4])], chosen: .detr)
        }
    }

    // MARK: Metadata

    @Test func metadataLeavesNothingToAssume() throws {
        let metadata = [
            "family": "detr", "shortest": "64", "longest": "128", "mean": "0, 0.5,1", "std": "1,1,1",
            "labels": #"{"3": "three"}"#,
        ]
        let family = try recognize(
            [image], [value("pred_logits", [1, 9, 5]), value("pred_boxes", [1, 9, 4])], metadata)
        #expect(family.assumptions.isEmpty)
        #expect(family.labels?[3] == "three")
        #expect(content(family, 200, 100) == PixelSize(width: 128, height: 64))
    }

    @Test(arguments: [
        ("shortest", "many"), ("shortest", "0"), ("longest", "10001"), ("longest", "-5"), ("mean", "1,2"),
        ("std", "a,b,c"), ("std", "1,0,1"),
        ("mean", "nan,0,0"), ("labels", "person"), ("labels", #"{"x": "y"}"#),
    ])
    func wrongMetadataIsAnErrorAndNeverADefault(key: String, text: String) throws {
        let metadata = ["family": "detr", "shortest": "64", "longest": "128"].merging([key: text]) { $1 }
        let error = #expect(throws: ApusError.self) {
            try recognize([image], [value("pred_logits", [1, 9, 5]), value("pred_boxes", [1, 9, 4])], metadata)
        }
        #expect(error?.code == .model)
        #expect(error?.doing == "read the model's metadata \(key)")
    }

    @Test(arguments: [[1, 3, 0, 64], [1, 3, 64, 1_000_000], [0, 3, 64, 64], [5_000, 3, 640, 640]])
    func aFixedSizeThatNoPictureFitsIsAnErrorBeforeMemoryIsTaken(dimensions: [Int]) throws {
        let outputs = [value("pred_logits", [1, 9, 5]), value("pred_boxes", [1, 9, 4])]
        let error = #expect(throws: ApusError.self) { try recognize([value("x", dimensions)], outputs) }
        #expect(error?.code == .model)
        #expect(error?.remedy != nil)
    }

    @Test func aMaskOfImpossibleSizeIsAnErrorBeforeMemoryIsTaken() {
        let outputs = [value("pred_logits", [1, 9, 5]), value("pred_boxes", [1, 9, 4])]
        let mask = value("pixel_mask", [1, 1_000_000, 1_000_000], .int64)
        let error = #expect(throws: ApusError.self) { try recognize([image, mask], outputs) }
        #expect(error?.code == .model)
    }

    @Test func aFixedBatchOfPicturesTooLargeTogetherIsAnError() throws {
        let outputs = [value("pred_logits", [nil, 9, 5]), value("pred_boxes", [nil, 9, 4])]
        let family = try recognize([value("x", [9_000, 3, nil, nil])], outputs)
        let picture = Bitmap(width: 200, height: 100, pixels: [UInt8](repeating: 0, count: 60_000))
        let size = PixelSize(width: 200, height: 100)
        let placement = Placement(original: size, filling: size)
        let error = #expect(throws: ApusError.self) { try family.inputs.tensors(for: [(.bytes(picture), placement)]) }
        #expect(error?.code == .model && error?.remedy != nil)
    }

    @Test func anUnknownFamilyIsNamed() {
        let error = #expect(throws: ApusError.self) {
            try recognize(
                [image], [value("pred_logits", [1, 9, 5]), value("pred_boxes", [1, 9, 4])], ["family": "yolo"])
        }
        #expect(error?.code == .notADetector)
        #expect(error?.advice?.text(for: .command).hasPrefix("This version of Apus knows detr.") == true)
        #expect(error?.advice?.text(for: .command).contains("--family") == true)
    }

    @Test func whatIsNoDetectorIsSaidToBeNoneWithWhatItIs() {
        let outputs = [value("pred_logits", [1, 9, 5]), value("pred_boxes", [1, 9, 4])]
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
            #expect(error?.remedy?.contains("The inputs of a DETR model are images") == true)
        }
    }

    @Test(arguments: [["shortest": "64"], ["longest": "64"], ["mean": "0,0,0"], ["std": "1,1,1"]])
    func halfOfAPairOfMetadataIsAnError(metadata: [String: String]) {
        let error = #expect(throws: ApusError.self) {
            try recognize([image], [value("pred_logits", [1, 9, 5]), value("pred_boxes", [1, 9, 4])], metadata)
        }
        #expect(error?.code == .model)
    }

    @Test func oneFixedSideKeepsTheShape() throws {
        let outputs = [value("pred_logits", [1, 9, 5]), value("pred_boxes", [1, 9, 4])]
        let high = try recognize([value("x", [1, 3, 800, nil])], outputs)
        #expect(content(high, 600, 1200) == PixelSize(width: 400, height: 800))
        let wide = try recognize([value("x", [1, 3, nil, 640])], outputs)
        #expect(content(wide, 1280, 100) == PixelSize(width: 640, height: 50))
        #expect(wide.assumptions.contains { $0.contains("one side of the model's input is fixed") })
    }

    @Test func aFixedInputStretchesAndSaysSo() throws {
        let family = try recognize(
            [value("x", [1, 3, 480, 640])], [value("pred_logits", [1, 9, 5]), value("pred_boxes", [1, 9, 4])])
        #expect(content(family, 100, 900) == PixelSize(width: 640, height: 480))
        #expect(family.assumptions.contains("the model's input is fixed at 640x480: every image is stretched to it"))
    }
}
