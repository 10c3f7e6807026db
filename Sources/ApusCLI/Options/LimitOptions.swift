import Apus
import ArgumentParser

struct LimitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Refuse pictures of more pixels than this.", valueName: "n"))
    var maxPixels = Image.Limits().pixels

    @Option(help: ArgumentHelp("Refuse files of more bytes than this.", valueName: "n"))
    var maxBytes = Image.Limits().bytes

    var limits: Image.Limits { Image.Limits(bytes: maxBytes, pixels: maxPixels) }

    func validate() throws {
        guard (1...1_000_000_000).contains(maxPixels) else {
            throw ValidationError("--max-pixels is from 1 to 1000000000, which takes 3 GB of memory.")
        }
        guard (1...2_000_000_000).contains(maxBytes) else {
            throw ValidationError("--max-bytes is from 1 to 2000000000.")
        }
    }
}
