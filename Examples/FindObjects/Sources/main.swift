// Finds objects in the pictures that are named, and says what ran.
// swift run --package-path Examples/FindObjects FindObjects Examples/pictures/farm.jpg

import Apus

do {
    let detector = try Detector()  // the demo model; Detector(model: .file("detr.onnx")) for your own
    for path in CommandLine.arguments.dropFirst() {
        let image = try Image(contentsOfFile: path)
        for found in try detector.detect(image).detections {
            print(found.category ?? "class \(found.label)", found.score, found.box)
        }
    }
    print("on", detector.execution.device, detector.execution.nodes ?? [:])
} catch {
    print(error)  // what failed, and what to do about it
}
