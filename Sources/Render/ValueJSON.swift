/// AMQP values as JSON, out of the dissector's nodes. Lossless: type and value come back as they were (the width of an
/// encoding may not). Plain: what a reader of JSON expects, types dropped.
///
///     null, true, "text"               null, boolean, string
///     [V, …]                           list
///     {"int":5} {"ulong":"184467…"}    integers; ulong and long beyond 2^53 as text, so that no reader rounds them
///     {"double":1.5} {"float":"NaN"}   shortest text that reads back as the same bits; "Infinity", "-Infinity", "NaN";
///                                      a NaN with a payload as its bits, "0x7ff8000000000001"
///     {"decimal64":"2238000000000001"} the bits (IEEE 754-2008, binary integer significand)
///     {"char":"é"} {"symbol":"s"}      text
///     {"timestamp":0}                  milliseconds since 1970-01-01T00:00:00Z
///     {"uuid":"8-4-4-4-12"} {"binary":"BASE64"}
///     {"map":[[K,V],…]}                in the order of the wire
///     {"described":{"descriptor":V,"value":V}}
///     {"longstr":"BASE64"}             a long string of 0-9-1 that is no UTF-8
///     {"decimal":"-3.14"}              a decimal of 0-9-1; the digits after the point are its scale
///     {"array":{"type":T,"items":[…]}} elements of one type, each as it stands inside its tag: {"array":{"type":"int",
///                                      "items":[1,2]}}; of arrays, the inner object; of maps, [[K,V],…]
///     {"array":{…,"descriptors":[V,…]}}      descriptors that all elements share, outermost first
///     {"array":{"type":T,"value":x,"count":n}}  elements without octets (null, true, false, 0, []), kept as a count
package import Bytes
package import Wire

/// Writes nodes as JSON. Made for one picture and thrown away: it holds on to the nodes.
package struct ValueJSON {
  let nodes: [Node]
  /// The node whose octets must not be shown, or -1.
  private let secret: Int

  package init(_ dissector: Dissector, secret: Int? = nil) { (nodes, self.secret) = (dissector.nodes, secret ?? -1) }

  // MARK: Lossless

  /// Appends the value at `index` in its tagged form.
  package func append(_ index: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let n = nodes[index]
    if index == secret { return q.append("\"***\"") }
    switch n.kind {
    case .described:
      if basic(index, b, tagged: true, to: &q) { return }
      q.append("{\"described\":{\"descriptor\":")
      if index + 1 < Int(n.next) { append(index + 1, b, to: &q) } else { q.append("null") }
      q.append(",\"value\":")
      if let inner = described(index) { append(inner, b, to: &q) } else { q.append("null") }
      q.append("}}")
    case .list: bare(index, b, to: &q)
    case .map, .array:
      q.append(n.kind == .map ? "{\"map\":" : "{\"array\":")
      bare(index, b, to: &q)
      q.append(UInt8(ascii: "}"))
    case .scalar:
      guard let tag = ValueJSON.tag(Primitive.of(n.constructor) ?? .null) else { return bare(index, b, to: &q) }
      q.append(tag)
      bare(index, b, to: &q)
      q.append(UInt8(ascii: "}"))
    case .opaque: octets(n, b, to: &q)
    case .frame, .problem: q.append("null")
    }
  }

  /// Appends the value as it stands inside its tag.
  func bare(_ index: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let n = nodes[index]
    switch n.kind {
    case .list: items(index, b, to: &q)
    case .map: pairs(index, b, to: &q)
    case .array: array(index, b, to: &q)
    case .described: append(index, b, to: &q)
    case .scalar: scalar(n, b, to: &q)
    case .opaque: octets(n, b, to: &q)
    case .frame, .problem: q.append("null")
    }
  }

  /// What should be text and is not.
  private func octets(_ n: Node, _ b: Span<UInt8>, to q: inout ByteQueue) {
    q.append("{\"octets\":")
    q.append(jsonHex: b.extracting(n.contentRange))
    q.append(UInt8(ascii: "}"))
  }

  private func items(_ index: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    items(from: index + 1, to: Int(nodes[index].next), b, to: &q)
  }

  func items(from start: Int, to end: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    q.append(UInt8(ascii: "["))
    var first = true
    var i = start
    while i < end {
      if nodes[i].kind != .problem {
        if !first { q.append(UInt8(ascii: ",")) }
        first = false
        append(i, b, to: &q)
      }
      i = Int(nodes[i].next)
    }
    q.append(UInt8(ascii: "]"))
  }

  private func pairs(_ index: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    q.append(UInt8(ascii: "["))
    var first = true
    eachEntry(index) { key, value in
      if !first { q.append(UInt8(ascii: ",")) }
      first = false
      q.append(UInt8(ascii: "["))
      append(key, b, to: &q)
      q.append(UInt8(ascii: ","))
      append(value, b, to: &q)
      q.append(UInt8(ascii: "]"))
    }
    q.append(UInt8(ascii: "]"))
  }

  private func array(_ index: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    let n = nodes[index]
    let element = b[Int(n.content) - 1]
    q.append("{\"type\":\"")
    q.append(ValueJSON.name(Primitive.of(element) ?? .null))
    q.append(UInt8(ascii: "\""))
    var i = index + 1
    if i < Int(n.next), nodes[i].place == .descriptor {
      q.append(",\"descriptors\":[")
      while i < Int(n.next), nodes[i].place == .descriptor {
        if i > index + 1 { q.append(UInt8(ascii: ",")) }
        append(i, b, to: &q)
        i = Int(nodes[i].next)
      }
      q.append(UInt8(ascii: "]"))
    }
    if element >> 4 == 4 {
      switch element {
      case 0x41: q.append(",\"value\":true")
      case 0x42: q.append(",\"value\":false")
      case 0x43, 0x44: q.append(",\"value\":0")
      case 0x45: q.append(",\"value\":[]")
      default: q.append(",\"value\":null")
      }
      q.append(",\"count\":")
      q.append(decimal: n.value)
    } else {
      q.append(",\"items\":[")
      var first = true
      while i < Int(n.next) {
        if nodes[i].place == .element {
          if !first { q.append(UInt8(ascii: ",")) }
          first = false
          bare(i, b, to: &q)
        }
        i = Int(nodes[i].next)
      }
      q.append(UInt8(ascii: "]"))
    }
    q.append(UInt8(ascii: "}"))
  }

  func scalar(_ n: Node, _ b: Span<UInt8>, to q: inout ByteQueue) {
    switch Primitive.of(n.constructor) {
    case .boolean: q.append(n.value == 1 ? "true" : "false")
    case .ubyte, .ushort, .uint: q.append(decimal: n.value)
    case .ulong: q.append(exact: Int128(n.value))
    case .byte, .short, .int: q.append(decimal: Int64(bitPattern: n.value))
    case .long, .timestamp: q.append(exact: Int128(Int64(bitPattern: n.value)))
    case .float: q.append(jsonFloat: UInt32(truncatingIfNeeded: n.value))
    case .double: q.append(jsonDouble: n.value)
    case .decimal32: hex(n.value, 8, to: &q)
    case .decimal64: hex(n.value, 16, to: &q)
    case .decimal128:
      q.append(UInt8(ascii: "\""))
      q.append(hex: b.extracting(n.contentRange))
      q.append(UInt8(ascii: "\""))
    case .char:
      let scalar = Unicode.Scalar(UInt32(truncatingIfNeeded: n.value)) ?? "\u{fffd}"
      q.append(jsonString: String(Character(scalar)))
    case .uuid:
      q.append(UInt8(ascii: "\""))
      q.append(uuid: b.integer(at: Int(n.content)))
      q.append(UInt8(ascii: "\""))
    case .binary: q.append(jsonBase64: b.extracting(n.contentRange))
    case .string, .symbol: q.append(jsonString: b.extracting(n.contentRange))
    case .null, .list, .map, .array, .any, nil: q.append("null")
    }
  }

  private func hex(_ bits: UInt64, _ digits: Int, to q: inout ByteQueue) {
    q.append(UInt8(ascii: "\""))
    q.append(hex: bits, digits: digits)
    q.append(UInt8(ascii: "\""))
  }

  /// What only 0-9-1 has; false: something else.
  func basic(_ index: Int, _ b: Span<UInt8>, tagged: Bool, to q: inout ByteQueue) -> Bool {
    guard let inner = described(index), nodes[index + 1].constructor == 0xa3 else { return false }
    let name = b.extracting(nodes[index + 1].contentRange)
    if !name.matches("amqp-0-9-1:longstr") && !name.matches("amqp-0-9-1:decimal") { return false }
    let n = nodes[inner]
    if n.kind == .scalar && Primitive.of(n.constructor) == .binary && name.matches("amqp-0-9-1:longstr") {
      q.append(tagged ? "{\"longstr\":" : "")
      bare(inner, b, to: &q)
    } else if n.kind == .list, Int(n.next) == inner + 3, name.matches("amqp-0-9-1:decimal"),
      Primitive.of(nodes[inner + 1].constructor) == .ubyte, Primitive.of(nodes[inner + 2].constructor) == .int
    {
      let value = Int32(truncatingIfNeeded: nodes[inner + 2].value)
      let decimal = Decimal091(scale: UInt8(truncatingIfNeeded: nodes[inner + 1].value), digits: value)
      q.append(tagged ? "{\"decimal\":\"" : "")
      q.append(utf8: decimal.text)
      if tagged { q.append(UInt8(ascii: "\"")) }
    } else {
      return false
    }
    if tagged { q.append(UInt8(ascii: "}")) }
    return true
  }

  // MARK: Walking

  /// The value under a described one.
  func described(_ index: Int) -> Int? {
    let i = index + 1
    if i >= Int(nodes[index].next) { return nil }
    let value = Int(nodes[i].next)
    return value < Int(nodes[index].next) && nodes[value].kind != .problem ? value : nil
  }

  /// Key and value of every whole entry of a map.
  func eachEntry(_ index: Int, _ body: (_ key: Int, _ value: Int) -> Void) {
    var i = index + 1
    let end = Int(nodes[index].next)
    while i < end {
      if nodes[i].kind == .problem {
        i = Int(nodes[i].next)
        continue
      }
      let value = Int(nodes[i].next)
      if value >= end || nodes[value].kind == .problem { return }
      body(i, value)
      i = Int(nodes[value].next)
    }
  }

  /// What opens the tagged form of a type; nil for the types that need no tag.
  private static func tag(_ type: Primitive) -> StaticString? {
    switch type {
    case .null, .boolean, .string, .list, .map, .array, .any: nil
    case .ubyte: "{\"ubyte\":"
    case .ushort: "{\"ushort\":"
    case .uint: "{\"uint\":"
    case .ulong: "{\"ulong\":"
    case .byte: "{\"byte\":"
    case .short: "{\"short\":"
    case .int: "{\"int\":"
    case .long: "{\"long\":"
    case .float: "{\"float\":"
    case .double: "{\"double\":"
    case .decimal32: "{\"decimal32\":"
    case .decimal64: "{\"decimal64\":"
    case .decimal128: "{\"decimal128\":"
    case .char: "{\"char\":"
    case .timestamp: "{\"timestamp\":"
    case .uuid: "{\"uuid\":"
    case .binary: "{\"binary\":"
    case .symbol: "{\"symbol\":"
    }
  }

  /// The type's name without the reflection behind `Primitive.name`.
  static func name(_ type: Primitive) -> StaticString {
    switch type {
    case .null: "null"
    case .boolean: "boolean"
    case .ubyte: "ubyte"
    case .ushort: "ushort"
    case .uint: "uint"
    case .ulong: "ulong"
    case .byte: "byte"
    case .short: "short"
    case .int: "int"
    case .long: "long"
    case .float: "float"
    case .double: "double"
    case .decimal32: "decimal32"
    case .decimal64: "decimal64"
    case .decimal128: "decimal128"
    case .char: "char"
    case .timestamp: "timestamp"
    case .uuid: "uuid"
    case .binary: "binary"
    case .string: "string"
    case .symbol: "symbol"
    case .list: "list"
    case .map: "map"
    case .array: "array"
    case .any: "*"
    }
  }
}

extension ByteQueue {
  /// A number, in quotes when a reader that knows only doubles would round it.
  mutating func append(exact v: Int128) {
    let quoted = v.magnitude > 1 << 53
    if quoted { append(UInt8(ascii: "\"")) }
    if v < 0 { append(UInt8(ascii: "-")) }
    if v.magnitude <= UInt64.max { append(decimal: UInt64(v.magnitude)) } else { append(utf8: "\(v.magnitude)") }
    if quoted { append(UInt8(ascii: "\"")) }
  }

  /// A float as its shortest exact text, or in quotes what JSON has no number for.
  mutating func append(jsonFloat bits: UInt32) {
    let v = Float(bitPattern: bits)
    if v.isFinite { return append(utf8: v.description) }
    if v.isNaN && bits != 0x7fc0_0000 { return appendBits(UInt64(bits), digits: 8) }
    append(v.isNaN ? "\"NaN\"" : v < 0 ? "\"-Infinity\"" : "\"Infinity\"")
  }

  mutating func append(jsonDouble bits: UInt64) {
    let v = Double(bitPattern: bits)
    if v.isFinite { return append(utf8: v.description) }
    if v.isNaN && bits != 0x7ff8_0000_0000_0000 { return appendBits(bits, digits: 16) }
    append(v.isNaN ? "\"NaN\"" : v < 0 ? "\"-Infinity\"" : "\"Infinity\"")
  }

  private mutating func appendBits(_ bits: UInt64, digits: Int) {
    append("\"0x")
    append(hex: bits, digits: digits)
    append(UInt8(ascii: "\""))
  }

  /// The byte `offset` after the first readable one.
  func byte(at offset: Int) -> UInt8 {
    withBytes(readable.lowerBound + offset..<readable.lowerBound + offset + 1) { $0[0] }
  }

  /// A copy of what was appended since `count` was `start`.
  func tail(from start: Int) -> [UInt8] {
    withBytes(readable.lowerBound + start..<readable.upperBound) { $0.array }
  }
}
