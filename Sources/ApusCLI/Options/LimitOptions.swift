import Apus
import ArgumentParser

struct LimitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Refuse pictures of more pixels than this.", valueName: "n"))
    var maxPixels = Image.Limits().pixels

    @Option(help: ArgumentHelp("Refuse files of more bytes than this.", valueName: "n"))
    var maxBytes = Image.Limits().bytes

    var limits: Image.Limits { Image.Limits(bytes: maxBytes, pixels: maxPixels) }

    func validate() throws {
        guard maxPixels > 0, maxBytes > 0 else { throw ValidationError("A limit is above 0.") }
    }
}
