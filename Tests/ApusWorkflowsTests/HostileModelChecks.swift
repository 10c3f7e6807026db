import Apus
import ApusWorkflows
import Engine
import TestSupport
import Testing

@Suite(.enabled(if: TestRuntime.isWanted)) struct HostileModelChecks {
    @Test(arguments: HostileModels.names) func aModelCheckRefusesIt(name: String) throws {
        let check = try ModelCheck(runtime: nil, tolerance: .f32)
        let error = #expect(throws: ApusError.self) {
            try check.expectation(of: .init(.file(HostileModels.path(name)), name: name))
        }
        #expect(error?.cause.contains(HostileModels.cause(name)) == true, "\(error?.cause ?? "")")
    }

    @Test(arguments: HostileModels.names) func aVerifierRefusesIt(name: String) throws {
        let verifier = Verifier(
            model: .file(HostileModels.path(name)), configuration: .init(device: .cpu), reference: .cpu)
        let error = #expect(throws: ApusError.self) {
            try verifier.report(on: [], progress: { _ in })
        }
        #expect(error?.cause.contains(HostileModels.cause(name)) == true, "\(error?.cause ?? "")")
    }
}
