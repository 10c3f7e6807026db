package import Apus
package import Engine
internal import Foundation

/// Runs two forms of one model on the same synthetic inputs and compares their outputs, on ONNX Runtime's own CPU kernels.
package struct ModelCheck: Sendable {
    /// A model, as a file or in memory; a model in memory may have its weights in files below `weightsFolder`.
    package struct Subject: Sendable {
        var source: ModelSource
        /// The model's name in errors.
        var name: String
        var weightsFolder: String?

        package init(_ source: ModelSource, name: String, weightsFolder: String? = nil) {
            self.source = source
            self.name = name
            self.weightsFolder = weightsFolder
        }
    }

    /// How an output of one form differs from the other's, over all inputs.
    package struct Difference: Sendable, CustomStringConvertible {
        package var output: String
        package var largest: Double
        package var mean: Double
        /// The largest magnitude in the expected output.
        package var scale: Double
        /// The limit of the largest difference.
        package var limit: Double
        /// Whether the limit was raised because the network amplifies rounding of its input.
        package var isSensitive = false
        package var isWithin: Bool { largest <= limit }

        package var description: String {
            String(
                format: "%@ differs by at most %.2g (mean %.2g) of values up to %.3g; the limit is %.2g", output,
                largest,
                mean, scale, limit)
                + (isSensitive ? ", as the network is sensitive to rounding" : "")
        }
    }

    package struct Report: Sendable {
        package var differences: [Difference]
        /// The inputs, such as "inputs [2, 3, 64, 96]".
        package var inputs: [String]
        /// Inputs that the source rejects, though it declares that it accepts any size.
        package var skipped: [String]
        package var isWithin: Bool { differences.allSatisfy(\.isWithin) }
    }

    /// How far an output may be off, relative to its scale.
    package enum Tolerance: Double, Sendable {
        /// The same arithmetic in a different order.
        case f32 = 0.001
        case f16 = 0.05
    }

    /// The tolerated multiple of the effect of one input rounding, which measures a network's sensitivity: a hundred operators
    /// each round like the input.
    private static let sensitivityFactor = 32.0

    private let engine: any Engine
    private let tolerance: Tolerance

    package init(runtime folder: String?, tolerance: Tolerance) throws(ApusError) {
        engine = try ApusError.wrapping(doing: "check the model") {
            try Engines.load(from: folder)
        }
        self.tolerance = tolerance
    }

    /// A model's outputs for synthetic inputs, against which another form of it is compared.
    package struct Expectation: Sendable {
        fileprivate var subject: Subject
        fileprivate var cases: [CheckInputs]
        fileprivate var outputs: [[String: [Double]]]
        fileprivate var skipped: [String]
    }

    /// Runs the model to compare with. May run while the other one is still being made.
    package func expectation(of reference: Subject) throws(ApusError) -> Expectation {
        try ApusError.wrapping(doing: "run the model's source") {
            let session = try session(reference)
            var expectation = Expectation(subject: reference, cases: [], outputs: [], skipped: [])
            var failure: (any Error)?
            let family = ModelCheck.family(of: session)
            var pending = try CheckInputs.cases(for: session.inputs, family: family)[...]
            while let inputs = pending.popFirst() {
                // Many exports accept only one image or one size, though they declare any.
                do {
                    expectation.outputs.append(try run(session, inputs))
                    expectation.cases.append(inputs)
                } catch {
                    if failure == nil { pending += try CheckInputs.singles(for: session.inputs, family: family) }
                    failure = error
                    expectation.skipped.append(inputs.description)
                }
            }
            if let failure, expectation.cases.isEmpty { throw failure }
            return expectation
        }
    }

    /// Compares the outputs of `result` with the expected ones.
    ///
    /// - Throws: if it does not load or run, or its outputs are of a different kind. A difference above the limit is in the
    ///   report.
    package func compare(_ result: Subject, with expected: Expectation) throws(ApusError) -> Report {
        try ApusError.wrapping(doing: "check the model") {
            let session = try session(result)
            let actual = try expected.cases.map { try run(session, $0) }
            var differences = try difference(actual, expected.outputs)
            if differences.contains(where: { !$0.isWithin }) {
                let reference = try self.session(expected.subject)
                let shaken = try expected.cases.map { try run(reference, $0.rounded(to: tolerance)) }
                raise(&differences, try difference(shaken, expected.outputs))
            }
            return Report(
                differences: differences, inputs: expected.cases.map(\.description), skipped: expected.skipped)
        }
    }

    /// The meaning of a detector's inputs; nil for any other model, which is checked too.
    private static func family(of session: any EngineSession) -> ModelInputs? {
        let signature = ModelSignature(inputs: session.inputs, outputs: session.outputs, metadata: session.metadata)
        return try? ModelFamilies.recognize(ModelDescription(signature)).family.inputs
    }

    private func session(_ subject: Subject) throws -> any EngineSession {
        var options = SessionOptions(.ownKernels)
        options.isOptimized = false
        options.weightsFolder = subject.weightsFolder
        do {
            return try engine.session(checked: subject.source, options: options)
        } catch let error as EngineError {
            var named = error
            named.doing = "load \(subject.name), to check its outputs"
            throw named
        }
    }

    private func run(_ session: any EngineSession, _ inputs: CheckInputs) throws -> [String: [Double]] {
        // Outputs that aren't numeric tensors are not compared.
        let names = session.outputs.filter { $0.elementType != nil }.map(\.name)
        return try session.run(try inputs.tensors(for: session.inputs), outputs: names).mapValues { try $0.doubles() }
    }

    private func difference(
        _ actual: [[String: [Double]]], _ expected: [[String: [Double]]]
    ) throws(ApusError) -> [Difference] {
        var found: [String: (largest: Double, sum: Double, count: Int, scale: Double)] = [:]
        for (actual, expected) in zip(actual, expected) {
            for (name, values) in expected {
                guard let others = actual[name], others.count == values.count else {
                    throw ApusError(
                        .verification, doing: "check the model",
                        cause: "its output \(name) has \(actual[name]?.count ?? 0) values instead of \(values.count)",
                        remedy: "Please report this and attach the model.")
                }
                var entry = found[name] ?? (0, 0, 0, 0)
                for (one, other) in zip(values, others) {
                    // Infinities and "not a number" must be the same on both sides.
                    let difference = one == other || (one.isNaN && other.isNaN) ? 0 : abs(one - other)
                    entry.largest = difference.isNaN ? .infinity : max(entry.largest, difference)
                    entry.sum += difference.isFinite ? difference : 0
                    if one.isFinite { entry.scale = max(entry.scale, abs(one)) }
                }
                entry.count += values.count
                found[name] = entry
            }
        }
        return found.sorted { $0.key < $1.key }.map { name, entry in
            Difference(
                output: name, largest: entry.largest, mean: entry.sum / Double(max(1, entry.count)), scale: entry.scale,
                limit: max(entry.scale, 1e-3) * tolerance.rawValue)
        }
    }

    /// Random networks, and some trained ones, amplify any rounding. The effect of rounding only the input of the unchanged model
    /// is not the other form's fault; a difference of half the scale always is.
    private func raise(_ differences: inout [Difference], _ shaken: [Difference]) {
        for index in differences.indices where !differences[index].isWithin {
            guard let own = shaken.first(where: { $0.output == differences[index].output }) else { continue }
            let limit = min(own.largest * ModelCheck.sensitivityFactor, differences[index].scale / 2)
            if limit > differences[index].limit {
                differences[index].limit = limit
                differences[index].isSensitive = true
            }
        }
    }
}

extension Tensor {
    /// The elements as numbers.
    fileprivate func doubles() throws -> [Double] {
        switch elementType {
        case .float32: try elements(of: Float.self).map(Double.init)
        case .float16: try elements(of: Float16.self).map(Double.init)
        case .float64: try elements(of: Double.self)
        case .uint8: try elements(of: UInt8.self).map(Double.init)
        case .int32: try elements(of: Int32.self).map(Double.init)
        case .int64: try elements(of: Int64.self).map(Double.init)
        case .bool: try elements(of: Bool.self).map { $0 ? 1 : 0 }
        case .bfloat16: try elements(of: BFloat16.self).map { Double($0.float) }
        }
    }
}
