import ApusServer
import Testing

struct OpenFilesTests {
    @Test(arguments: [
        (4096, 1, 20_000, 4096), (4096, 1, 1024, 768), (4096, 2, 1024, 384), (10, 2, 1024, 10), (4096, 1, 100, 1),
    ])
    func connectionsKeepBelowTheLimitOfOpenFiles(wanted: Int, listeners: Int, limit: Int, expected: Int) {
        #expect(OpenFiles.connections(wanted: wanted, listeners: listeners, limit: limit) == expected)
    }
}
