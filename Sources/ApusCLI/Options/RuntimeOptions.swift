import ArgumentParser

struct RuntimeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder that holds ONNX Runtime.",
            discussion: "Default: $APUS_RUNTIME, else beside the command, else where `make setup` put it.",
            valueName: "folder"), completion: .directory)
    var runtime: String?
}
