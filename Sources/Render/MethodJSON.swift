/// A 0-9-1 frame in the lossless form of `FrameJSON`:
///
///     {"channel":1,"frame":"basic.publish","fields":{"exchange":"logs","routing-key":"a.b","mandatory":true,…}}
///     {"channel":1,"frame":"content-header","fields":{"class-id":60,"weight":0,"body-size":5,"property-flags":32768},
///      "properties":{"content-type":"text/plain"}}
///     {"channel":1,"frame":"body","body":{"text":"hello"}}
///
/// Fields have the types of the specification and are plain, a timestamp in milliseconds; a long string is text, or
/// {"longstr":BASE64}. Reserved fields that say nothing are left out. Tables are objects where their keys allow it, or
/// {"map":[[K,V],…]}; their values are tagged as in `ValueJSON`, a decimal as {"decimal":{"scale":2,"value":110}}.
import Bytes
import Wire

extension FrameJSON {
  func tops091(_ b: Span<UInt8>, to q: inout ByteQueue) {
    var i = 0
    while i < nodes.count {
      let n = nodes[i]
      switch n.kind {
      case .frame:
        head091(n, to: &q)
        i += 1
        continue
      case .list:
        member("frame", to: &q)
        q.append(UInt8(ascii: "\""))
        if n.place == .section {
          q.append("content-header")
        } else if let name = MethodTable.shared.method(n) {
          MethodTable.shared.append(name, to: &q)
        }
        q.append(UInt8(ascii: "\""))
        member("fields", to: &q)
        fields091(i, properties: false, b, to: &q)
        if n.place == .section {
          member("properties", to: &q)
          fields091(i, properties: true, b, to: &q)
        }
      case .opaque: if n.place == .payload { body091(b.extracting(n.range), to: &q) }
      case .scalar, .map, .array, .described, .problem: break
      }
      i = Int(n.next)
    }
  }

  private func head091(_ n: Node, to q: inout ByteQueue) {
    member("channel", to: &q)
    q.append(decimal: n.value & 0xffff)
    switch FrameType091(rawValue: UInt8(truncatingIfNeeded: n.value >> 16)) {
    case .method, .header: break
    case .body:
      q.append(",\"frame\":\"body\"")
      if n.length == UInt32(Frame091.overhead) { q.append(",\"body\":{\"text\":\"\"}") }
    case .heartbeat: q.append(",\"frame\":\"heartbeat\"")
    case nil:
      q.append(",\"frame\":\"type ")
      q.append(decimal: n.value >> 16)
      q.append(UInt8(ascii: "\""))
    }
  }

  private func body091(_ octets: Span<UInt8>, to q: inout ByteQueue) {
    if octets.firstInvalidUTF8() == nil {
      q.append(",\"body\":{\"text\":")
      q.append(jsonString: octets)
    } else {
      q.append(",\"body\":{\"data\":")
      q.append(jsonBase64: octets)
    }
    q.append(UInt8(ascii: "}"))
  }

  /// The fields of a method or those in front of the properties, or the properties themselves.
  private func fields091(_ list: Int, properties: Bool, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let table = MethodTable.shared
    let isHeader = nodes[list].place == .section
    q.append(UInt8(ascii: "{"))
    var first = true
    // Flags may take several words, which are told as one number.
    var flags: UInt64?
    let end = Int(nodes[list].next)
    var k = list + 1
    while k < end {
      let (i, n) = (k, nodes[k])
      k = Int(n.next)
      guard let name = table.field(n) else { continue }
      if isHeader {
        if (n.field < HeaderField.classID.rawValue) != properties { continue }
        if n.field == HeaderField.flags.rawValue {
          flags = (flags ?? 0) << 16 | n.value
          continue
        }
      } else if name.isReserved && n.value == 0 && k == i + 1 {
        continue
      }
      if !first { q.append(UInt8(ascii: ",")) }
      first = false
      q.append(UInt8(ascii: "\""))
      table.append(name, to: &q)
      q.append("\":")
      field091(i, b, to: &q)
    }
    if let flags, !properties {
      if !first { q.append(UInt8(ascii: ",")) }
      q.append("\"property-flags\":")
      q.append(decimal: flags)
    }
    q.append(UInt8(ascii: "}"))
  }

  private func field091(_ i: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    if i == frame.secret { return secret(i, b, to: &q) }
    let n = nodes[i]
    switch n.fieldType {
    case .bit: q.append(n.value == 1 ? "true" : "false")
    case .octet, .short, .long: q.append(decimal: n.value)
    case .longlong: q.append(exact: Int128(n.value))
    case .timestamp: q.append(exact: Int128(n.value) * 1000)
    case .shortstr, .longstr: q.append(longstr: b.extracting(n.contentRange))
    case .table: table091(i, b, to: &q)
    case nil: q.append("null")
    }
  }

  // MARK: Tables

  /// A table as an object when no key stands twice and none is "map" alone; else in a tag.
  private func table091(_ i: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    guard isObject091(i, b) else { return value091(i, b, to: &q) }
    q.append(UInt8(ascii: "{"))
    var first = true
    eachEntry091(i) { key, value in
      if !first { q.append(UInt8(ascii: ",")) }
      first = false
      q.append(jsonString: b.extracting(nodes[key].contentRange))
      q.append(UInt8(ascii: ":"))
      value091(value, b, to: &q)
    }
    q.append(UInt8(ascii: "}"))
  }

  private func isObject091(_ map: Int, _ b: Span<UInt8>) -> Bool {
    var (fine, count, only) = (true, 0, -1)
    var seen: Set<[UInt8]> = []
    let isLarge = Int(nodes[map].next) - map > 64
    eachEntry091(map) { key, _ in
      let text = b.extracting(nodes[key].contentRange)
      if nodes[key].kind != .scalar { fine = false }
      if isLarge {
        if !seen.insert(text.array).inserted { fine = false }
      } else {
        eachEntry091(map) { other, _ in
          if other < key && b.extracting(nodes[other].contentRange).matches(text) { fine = false }
        }
      }
      count += 1
      only = key
    }
    return fine && !(count == 1 && b.extracting(nodes[only].contentRange).matches("map"))
  }

  /// Key and value of every whole entry of a table.
  private func eachEntry091(_ map: Int, _ body: (_ key: Int, _ value: Int) -> Void) {
    var i = map + 1
    var key: Int?
    while i < Int(nodes[map].next) {
      switch nodes[i].place {
      case .key where nodes[i].kind != .problem: key = i
      case .entry where nodes[i].kind != .problem:
        if let key { body(key, i) }
        key = nil
      default: break
      }
      i = Int(nodes[i].next)
    }
  }

  private func value091(_ i: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let n = nodes[i]
    let content = b.extracting(n.contentRange)
    let spec = n.row & 1 == 1
    func tagged(_ tag: StaticString, _ v: Int128) {
      q.append(tag)
      q.append(exact: v)
      q.append(UInt8(ascii: "}"))
    }
    let signed = Int128(Int64(bitPattern: n.value))
    switch n.constructor {
    case UInt8(ascii: "t"): q.append(n.value != 0 ? "true" : "false")
    case UInt8(ascii: "b"): tagged("{\"byte\":", signed)
    case UInt8(ascii: "B"): tagged("{\"ubyte\":", signed)
    case UInt8(ascii: "s") where spec: q.append(longstr: content)
    case UInt8(ascii: "s"), UInt8(ascii: "U"): tagged("{\"short\":", signed)
    case UInt8(ascii: "u"): tagged("{\"ushort\":", signed)
    case UInt8(ascii: "I"): tagged("{\"int\":", signed)
    case UInt8(ascii: "i"): tagged("{\"uint\":", signed)
    case UInt8(ascii: "l") where spec: tagged("{\"ulong\":", Int128(n.value))
    case UInt8(ascii: "l"), UInt8(ascii: "L"): tagged("{\"long\":", signed)
    case UInt8(ascii: "T"): tagged("{\"timestamp\":", Int128(n.value) * 1000)
    case UInt8(ascii: "f"):
      q.append("{\"float\":")
      q.append(jsonFloat: UInt32(truncatingIfNeeded: n.value))
      q.append(UInt8(ascii: "}"))
    case UInt8(ascii: "d"):
      q.append("{\"double\":")
      q.append(jsonDouble: n.value)
      q.append(UInt8(ascii: "}"))
    case UInt8(ascii: "D"):
      q.append("{\"decimal\":{\"scale\":")
      q.append(decimal: n.value >> 32 & 0xff)
      q.append(",\"value\":")
      q.append(decimal: Int64(Int32(truncatingIfNeeded: n.value)))
      q.append("}}")
    case UInt8(ascii: "S"): q.append(longstr: content)
    case UInt8(ascii: "x"):
      q.append("{\"binary\":")
      q.append(jsonBase64: content)
      q.append(UInt8(ascii: "}"))
    case UInt8(ascii: "A"):
      q.append(UInt8(ascii: "["))
      var first = true
      var k = i + 1
      while k < Int(n.next) {
        if nodes[k].kind != .problem && nodes[k].place != .rest {
          if !first { q.append(UInt8(ascii: ",")) }
          first = false
          value091(k, b, to: &q)
        }
        k = Int(nodes[k].next)
      }
      q.append(UInt8(ascii: "]"))
    case UInt8(ascii: "F"), MethodFieldType.table.rawValue:
      q.append("{\"map\":[")
      var first = true
      eachEntry091(i) { key, value in
        q.append(first ? "[" : ",[")
        first = false
        q.append(longstr: b.extracting(nodes[key].contentRange))
        q.append(UInt8(ascii: ","))
        value091(value, b, to: &q)
        q.append(UInt8(ascii: "]"))
      }
      q.append("]}")
    default: q.append("null")
    }
  }
}

extension ByteQueue {
  /// A string of 0-9-1: text, or what nobody can say the encoding of.
  mutating func append(longstr octets: Span<UInt8>) {
    if octets.firstInvalidUTF8() == nil { return append(jsonString: octets) }
    append("{\"longstr\":")
    append(jsonBase64: octets)
    append(UInt8(ascii: "}"))
  }
}
