internal import CCairo
internal import Imaging
internal import Remedies

/// A cairo surface with an image on it.
final class Canvas {
    let bounds: Rectangle
    private let width: Int
    private let height: Int
    private let stride: Int
    private let memory: UnsafeMutablePointer<UInt8>
    private let surface: OpaquePointer?
    private let context: OpaquePointer?
    private let fontSize: Double
    private let lineWidth: Double

    /// Cairo's own limit.
    private static let mostPixels = 32_767

    init(_ picture: Bitmap, enlargedBy factor: Int) throws(ImagingError) {
        guard max(picture.width, picture.height) * factor <= Canvas.mostPixels else {
            throw ImagingError(
                .notEncodable,
                "boxes can be drawn on images of up to \(Canvas.mostPixels) pixels a side; "
                    + "this image is \(picture.width)x\(picture.height)",
                remedy: "Draw on a smaller copy of it.")
        }
        _ = Fonts.prepare
        width = picture.width * factor
        height = picture.height * factor
        bounds = Rectangle(x: 0, y: 0, width: Double(width), height: Double(height))
        stride = 4 * width
        memory = .allocate(capacity: stride * height)
        for y in 0..<height {
            let source = 3 * (y / factor) * picture.width
            for x in 0..<width {  // cairo's RGB24: blue, green, red, unused
                let (from, to) = (source + 3 * (x / factor), y * stride + 4 * x)
                memory[to] = picture.pixels[from + 2]
                memory[to + 1] = picture.pixels[from + 1]
                memory[to + 2] = picture.pixels[from]
                memory[to + 3] = 255
            }
        }
        surface = cairo_image_surface_create_for_data(
            memory, CAIRO_FORMAT_RGB24, Int32(width), Int32(height), Int32(stride))
        context = cairo_create(surface)
        fontSize = max(11, min(Double(min(width, height)) / 32, 72))
        lineWidth = max(1.5, fontSize / 7)
        cairo_select_font_face(context, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD)
        cairo_set_font_size(context, fontSize)
        cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
    }

    deinit {
        cairo_destroy(context)
        cairo_surface_destroy(surface)
        memory.deallocate()
    }

    /// A colored line on a wider dark one, so that it stands out on any background.
    func stroke(_ box: Rectangle, _ color: Color) {
        for (line, red, green, blue, alpha) in [
            (lineWidth + max(1.5, lineWidth * 0.6), 0, 0, 0, 0.55), (lineWidth, color.red, color.green, color.blue, 1),
        ] {
            cairo_set_line_width(context, line)
            cairo_set_source_rgba(context, red, green, blue, alpha)
            // Inset by half a line, so that a box on the image's edge keeps its whole line.
            let inset = min(lineWidth / 2, box.width / 2, box.height / 2)
            cairo_rectangle(
                context, box.x + inset, box.y + inset, box.width - 2 * inset, box.height - 2 * inset)
            cairo_stroke(context)
        }
    }

    func chipSize(_ text: String) -> (width: Double, height: Double) {
        var extents = cairo_text_extents_t()
        cairo_text_extents(context, text, &extents)
        return (extents.x_advance + fontSize * 0.6, fontSize * 1.35)
    }

    /// Text on a filled background, black or white depending on the background's brightness.
    func label(_ text: String, in chip: Rectangle, _ color: Color) {
        cairo_set_source_rgb(context, color.red, color.green, color.blue)
        cairo_rectangle(context, chip.x, chip.y, chip.width, chip.height)
        cairo_fill_preserve(context)
        cairo_set_source_rgba(context, 0, 0, 0, 0.55)
        cairo_set_line_width(context, 1)
        cairo_stroke(context)
        let shade: Double = color.wantsBlackText ? 0 : 1
        cairo_set_source_rgb(context, shade, shade, shade)
        cairo_move_to(context, chip.x + fontSize * 0.3, chip.y + fontSize * 1.02)
        cairo_show_text(context, text)
    }

    func bitmap() throws(ImagingError) -> Bitmap {
        cairo_surface_flush(surface)
        let status = cairo_status(context)
        guard status == CAIRO_STATUS_SUCCESS else {
            throw ImagingError(
                .notEncodable, "cairo could not draw (\(String(cString: cairo_status_to_string(status))))",
                remedy: "Leave out \(setting: .output), or free memory.")
        }
        let pixels = [UInt8](unsafeUninitializedCapacity: 3 * width * height) { target, count in
            for pixel in 0..<(width * height) {
                target[3 * pixel] = memory[4 * pixel + 2]
                target[3 * pixel + 1] = memory[4 * pixel + 1]
                target[3 * pixel + 2] = memory[4 * pixel]
            }
            count = 3 * width * height
        }
        return Bitmap(width: width, height: height, pixels: pixels)
    }
}
