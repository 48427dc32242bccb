/// The 0-9-1 half of `FrameJSONReader`: what `MethodWireJSON` writes back into octets.
import Bytes
import Wire

extension FrameJSONReader {
  mutating func frame091(_ json: JSON, _ items: [JSON], to q: inout ByteQueue) throws(TextFault) {
    q.append(try number(json["type"], "type"))
    q.append16(try number(json["channel"], "channel"))
    let size = q.count
    q.append32(try json["size"].map { json throws(TextFault) in try number(json, "size") } ?? 0)
    for item in items { try self.item(item, element: nil, to: &q) }
    if json["size"] == nil { q.patch32(at: q.readable.lowerBound + size, UInt32(q.count - size - 4)) }
    q.append(try number(json["end"], "end"))
  }

  /// An item whose format is a word. Of the letters only the width matters, which the other members tell.
  mutating func item091(_ json: JSON, _ format: String, to q: inout ByteQueue) throws(TextFault) {
    var format = format
    if format.hasPrefix("letter "), let letter = format.utf8.last, format.utf8.count == 8 {
      q.append(letter)
      format = FrameJSONReader.format(of: letter)
      // A short string in the specification's dialect.
      if letter == UInt8(ascii: "s"), case .string? = json["value"] { format = "shortstr" }
    }
    if let octets = json["octets"] { return try raw(octets, to: &q) }
    switch format {
    case "method":
      q.append16(try number(json["class"], "class"))
      q.append16(try number(json["method"], "method"))
      try items(json, element: nil, to: &q)
    case "content-header": try items(json, element: nil, to: &q)
    case "bits", "octet": q.append(try number(json[format == "bits" ? "octet" : "value"], format))
    case "short": q.append16(try number(json["value"], "value"))
    case "long": q.append32(try number(json["value"], "value"))
    case "longlong", "timestamp": q.append64(try number(json["value"], "value"))
    case "decimal":
      let v: UInt64 = try number(json["value"], "value")
      q.append(UInt8(truncatingIfNeeded: v >> 32))
      q.append32(UInt32(truncatingIfNeeded: v))
    case "shortstr", "longstr": try string(json, isShort: format == "shortstr", to: &q)
    case "table":
      let size = q.count
      q.append32(try json["size"].map { json throws(TextFault) in try number(json, "size") } ?? 0)
      try items(json, element: nil, to: &q)
      if json["size"] == nil { q.patch32(at: q.readable.lowerBound + size, UInt32(q.count - size - 4)) }
    case "void": break
    default: throw TextFault("no format '\(format)'")
    }
  }

  private mutating func string(_ json: JSON, isShort: Bool, to q: inout ByteQueue) throws(TextFault) {
    if let masked = json["masked"] { return try mask(masked, lengthWidth: isShort ? 1 : 4, to: &q) }
    guard case .string(let text)? = json["value"] else { throw TextFault("expected its \"value\" as a string") }
    if isShort && text.utf8.count > 255 { throw TextFault("more than 255 octets") }
    if isShort { q.append(UInt8(text.utf8.count)) } else { q.append32(UInt32(text.utf8.count)) }
    q.append(utf8: text)
  }

  /// The field type that is as wide as the value behind a letter.
  private static func format(of letter: UInt8) -> String {
    switch letter {
    case UInt8(ascii: "t"), UInt8(ascii: "b"), UInt8(ascii: "B"): "octet"
    case UInt8(ascii: "s"), UInt8(ascii: "U"), UInt8(ascii: "u"): "short"
    case UInt8(ascii: "I"), UInt8(ascii: "i"), UInt8(ascii: "f"): "long"
    case UInt8(ascii: "l"), UInt8(ascii: "L"), UInt8(ascii: "d"), UInt8(ascii: "T"): "longlong"
    case UInt8(ascii: "D"): "decimal"
    case UInt8(ascii: "S"), UInt8(ascii: "x"): "longstr"
    case UInt8(ascii: "F"), UInt8(ascii: "A"): "table"
    case UInt8(ascii: "V"): "void"
    default: "letter"
    }
  }
}
