/// The line that `FrameWireJSON` writes back into octets. Sizes and counts are written as the line has them, so that what
/// was wrong with a frame comes back wrong in the same way; one that somebody took out is computed. It knows formats and
/// layouts, and neither frames of particular kinds nor what rows demand.
package import Bytes
package import Wire

package struct FrameJSONReader {
  /// What a line says beyond its octets.
  package struct Line: Sendable, Equatable {
    package var time: Int64?
    package var connection: UInt32?
    package var direction: FrameContext.Direction?
    /// How many octets of a secret were not in the line; asterisks stand in their place.
    package var masked = 0
  }

  /// Objects and brackets around a value as deep as the dissector reads: two a level, and those of the frame.
  private static let depth = 2 * Int(Limits.deepest) + 8

  /// In octets; the lines of a peer must not turn into more memory than they have characters, by much.
  private static let longestSecret = 1 << 20

  private var line = Line()

  /// Appends the octets that `text`, one line, stands for. After a fault nothing is appended.
  package static func read(_ text: Span<UInt8>, to q: inout ByteQueue) throws(TextFault) -> Line {
    let json: JSON
    do throws(JSONFault) { json = try JSONReader.read(text, depth: depth) } catch {
      throw TextFault("\(error.reason) at character \(error.offset + 1)")
    }
    guard case .object = json else { throw TextFault("expected an object for a frame, got \(json.kind)") }
    var reader = FrameJSONReader()
    let start = q.count
    do throws(TextFault) {
      try reader.context(json)
      try reader.frame(json, to: &q)
    } catch {
      q.truncate(to: start)
      throw error
    }
    return reader.line
  }

  private mutating func context(_ json: JSON) throws(TextFault) {
    if let time = json["time"] { line.time = try nanoseconds(time) }
    if let connection = json["connection"] { line.connection = try number(connection, "connection") }
    if case .string(let name)? = json["direction"] {
      line.direction = FrameContext.Direction.allCases.first { $0.name.description == name }
    }
  }

  /// Milliseconds with decimals, exactly.
  private func nanoseconds(_ json: JSON) throws(TextFault) -> Int64 {
    guard case .number(let text) = json else { throw TextFault("time: expected a number, got \(json.kind)") }
    let parts = text.split(separator: ".")
    let decimals = parts.count == 2 ? parts[1] : ""
    // The digits in front of the point and six behind it are the nanoseconds.
    guard decimals.utf8.count <= 6,
      let time = Int64(parts[0] + decimals + String(repeating: "0", count: 6 - decimals.utf8.count))
    else { throw TextFault("time: expected milliseconds with at most six decimals, got \(text)") }
    return time
  }

  // MARK: Frames

  private mutating func frame(_ json: JSON, to q: inout ByteQueue) throws(TextFault) {
    guard case .array(let items)? = json["items"] else {
      guard let octets = json["octets"] else {
        throw TextFault(
          "expected \"items\" or \"octets\": only lines that were made with --wire say what the octets were")
      }
      return try raw(octets, to: &q)
    }
    if json["end"] != nil { return try frame091(json, items, to: &q) }
    let start = q.count
    let isFrame = json["doff"] != nil
    if isFrame {
      q.append32(try json["size"].map { json throws(TextFault) in try number(json, "size") } ?? 0)
      q.append(try number(json["doff"], "doff"))
      q.append(try number(json["type"], "type"))
      q.append16(try number(json["channel"], "channel"))
      if let octets = json["extended-header"] { try raw(octets, to: &q) }
    }
    for item in items { try self.item(item, element: nil, to: &q) }
    if isFrame && json["size"] == nil { q.patch32(at: q.readable.lowerBound + start, UInt32(q.count - start)) }
  }

  // MARK: Items

  /// - Parameter element: the format code that the elements of an array share, which none of them has on the wire.
  mutating func item(_ json: JSON, element: UInt8?, to q: inout ByteQueue) throws(TextFault) {
    guard case .object = json else { throw TextFault("expected an object for an item, got \(json.kind)") }
    let code: UInt8
    if case .string(let format)? = json["format"], !format.hasPrefix("0x") {
      do throws(TextFault) { return try item091(json, format, to: &q) } catch {
        throw TextFault(describe(json, 0) + ": " + error.reason)
      }
    } else if let format = json["format"] {
      code = try formatCode(format)
      q.append(code)
    } else if let octets = json["octets"] {
      return try raw(octets, to: &q)
    } else if let masked = json["masked"], json["type"] == nil {
      return try mask(masked, lengthWidth: 0, to: &q)
    } else if let element {
      code = element
    } else {
      throw TextFault("an item needs its \"format\" or \"octets\"")
    }
    do throws(TextFault) { try content(json, code, to: &q) } catch {
      throw TextFault(describe(json, code) + ": " + error.reason)
    }
  }

  private func describe(_ json: JSON, _ code: UInt8) -> String {
    if case .string(let name)? = json["name"] { return name }
    if case .number(let offset)? = json["offset"] { return "at \(offset)" }
    return Constructor.of(code)?.name ?? "described"
  }

  private mutating func content(_ json: JSON, _ code: UInt8, to q: inout ByteQueue) throws(TextFault) {
    if let octets = json["octets"] { return try raw(octets, to: &q) }
    if code == 0 { return try items(json, element: nil, to: &q) }
    guard let row = Constructor.of(code) else { throw TextFault("no such format code") }
    if let masked = json["masked"] {
      if case .variable(let width) = row.layout { return try mask(masked, lengthWidth: width, to: &q) }
      return try mask(masked, lengthWidth: 0, to: &q)
    }
    switch row.layout {
    case .fixed(0): break
    case .fixed, .variable: try scalar(json, row, to: &q)
    case .compound(let width), .array(let width): try compound(json, row, width, to: &q)
    }
  }

  private func scalar(_ json: JSON, _ row: Constructor, to q: inout ByteQueue) throws(TextFault) {
    guard let text = json["value"] else { throw TextFault("expected its \"value\"") }
    let value = try Value(row.primitive, text)
    if !FrameJSONReader.fits(value, row.code) { throw TextFault("the value does not fit \(row.name)") }
    q.appendContent(value, row.code)
  }

  /// Whether one octet is enough, where there is no more for the value or its length.
  private static func fits(_ value: Value, _ code: UInt8) -> Bool {
    if code >> 4 != 5 && code >> 4 != 0xa { return true }
    return switch value {
    case .uint(let v): v < 256
    case .ulong(let v): v < 256
    case .int(let v): Int8(exactly: v) != nil
    case .long(let v): Int8(exactly: v) != nil
    case .binary(let v): v.count < 256
    case .string(let v), .symbol(let v): v.utf8.count < 256
    case .null, .boolean, .ubyte, .ushort, .byte, .short, .float, .double, .decimal32, .decimal64, .decimal128, .char,
      .timestamp, .uuid, .list, .map, .array, .described:
      true
    }
  }

  /// Asterisks for a secret, behind their number when it is part of the encoding.
  mutating func mask(_ json: JSON, lengthWidth: Int, to q: inout ByteQueue) throws(TextFault) {
    let count: UInt32 = try number(json, "masked")
    if count > FrameJSONReader.longestSecret { throw TextFault("masked: too many octets") }
    line.masked += Int(count)
    switch lengthWidth {
    case 1: q.append(UInt8(truncatingIfNeeded: count))
    case 4: q.append32(count)
    default: break
    }
    q.append(repeating: UInt8(ascii: "*"), count: Int(count))
  }

  private mutating func compound(
    _ json: JSON, _ row: Constructor, _ width: Int, to q: inout ByteQueue
  ) throws(TextFault) {
    let size = q.count
    try length(json["size"] ?? .number("0"), "size", width, to: &q)
    // A size of 0 leaves no room for the count.
    if let count = json["count"] { try length(count, "count", width, to: &q) }
    var element: UInt8?
    if case .array = row.layout {
      if case .array(let descriptors)? = json["descriptors"] {
        for descriptor in descriptors {
          q.append(0x00)
          try item(descriptor, element: nil, to: &q)
        }
      }
      if let format = json["element"] {
        let code = try formatCode(format)
        q.append(code)
        element = code
      }
    }
    try items(json, element: element, to: &q)
    if json["size"] != nil { return }
    let content = q.count - size - width
    if width == 1 && content > 255 { throw TextFault("the items do not fit \(row.name)") }
    let at = q.readable.lowerBound + size
    if width == 1 { q.patch8(at: at, UInt8(content)) } else { q.patch32(at: at, UInt32(content)) }
  }

  mutating func items(_ json: JSON, element: UInt8?, to q: inout ByteQueue) throws(TextFault) {
    guard case .array(let items)? = json["items"] else { throw TextFault("expected its \"items\"") }
    for item in items { try self.item(item, element: element, to: &q) }
  }

  // MARK: Pieces

  private func length(_ json: JSON, _ name: String, _ width: Int, to q: inout ByteQueue) throws(TextFault) {
    if width == 1 { q.append(try number(json, name) as UInt8) } else { q.append32(try number(json, name)) }
  }

  func number<T: FixedWidthInteger>(_ json: JSON?, _ name: String) throws(TextFault) -> T {
    guard let text = json?.digits, let v = T(text) else {
      throw TextFault("\(name): expected a number from 0 to \(T.max)")
    }
    return v
  }

  private func formatCode(_ json: JSON) throws(TextFault) -> UInt8 {
    guard case .string(let text) = json, text.utf8.count == 4, text.hasPrefix("0x"),
      let code = UInt8(text.dropFirst(2), radix: 16)
    else { throw TextFault("expected a format code such as \"0x53\"") }
    return code
  }

  func raw(_ json: JSON, to q: inout ByteQueue) throws(TextFault) {
    guard case .string(let text) = json, let octets = bytesFromHex(Array(text.utf8).span) else {
      throw TextFault("octets: expected hexadecimal digits, two an octet")
    }
    q.append(octets)
  }
}

extension JSON {
  /// The text of a number, in quotes or not.
  fileprivate var digits: String? {
    switch self {
    case .number(let text), .string(let text): text
    case .null, .boolean, .array, .object: nil
    }
  }
}
