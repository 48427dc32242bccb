/// Whether a body is shown as text or in hexadecimal: what its content type says goes before what its octets look like.
import Bytes

package enum ContentType {
  /// Whether bodies of the type are octets, even where they happen to be text.
  package static func isBinary(_ type: Span<UInt8>) -> Bool {
    // text/…, and no more type than a name can have.
    if type.isEmpty || type[0] == UInt8(ascii: "t") || type.count > 128 { return false }
    for start in starts where type.count >= start.utf8CodeUnitCount {
      if type.extracting(0..<start.utf8CodeUnitCount).matches(start) { return true }
    }
    for i in 0..<type.count {
      for part in parts where type.count - i >= part.utf8CodeUnitCount {
        if type.extracting(i..<i + part.utf8CodeUnitCount).matches(part) { return true }
      }
    }
    return false
  }

  /// The same of what stands behind a content header's body size: flags, then the content type if there is one.
  package static func isBinary(properties p: Span<UInt8>) -> Bool {
    if p.count < 3 || p[0] & 0x80 == 0 { return false }
    // Flags may go on in another word.
    if p[1] & 1 != 0 { return false }
    return isBinary(p.extracting(3..<min(3 + Int(p[2]), p.count)))
  }

  private static let starts: [StaticString] = ["application/octet-stream", "image/", "audio/", "video/", "font/"]
  private static let parts: [StaticString] = [
    "protobuf", "msgpack", "avro", "cbor", "bson", "thrift", "zip", "x-tar", "pdf", "serialized",
  ]
}
