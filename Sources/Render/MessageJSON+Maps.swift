/// Maps of a message as objects, where their keys allow it.
import Bytes
import Wire

extension MessageJSON {
  func map(_ i: Int, _ keys: Primitive, _ b: Span<UInt8>, to q: inout ByteQueue) {
    if nodes[i].kind != .map || style == .plain {
      return style == .plain ? json.plain(i, b, to: &q) : json.append(i, b, to: &q)
    }
    if !isObject(i, keys, b) { return json.append(i, b, to: &q) }
    q.append(UInt8(ascii: "{"))
    var first = true
    json.eachEntry(i) { key, value in
      if !first { q.append(UInt8(ascii: ",")) }
      first = false
      q.append(jsonString: b.extracting(nodes[key].contentRange))
      q.append(UInt8(ascii: ":"))
      json.append(value, b, to: &q)
    }
    q.append(UInt8(ascii: "}"))
  }

  /// Whether the map can be an object whose member names are keys of this type.
  func isObject(_ map: Int, _ keys: Primitive, _ b: Span<UInt8>) -> Bool {
    var fine = true
    var count = 0
    var only = -1
    json.eachEntry(map) { key, _ in
      if nodes[key].kind != .scalar || Primitive.of(nodes[key].constructor) != keys { fine = false }
      count += 1
      only = key
    }
    if !fine { return false }
    if count == 1 { return !b.extracting(nodes[only].contentRange).matches("map") }
    return count > 16 ? differByHash(map, b) : differ(map, b)
  }

  private func differ(_ map: Int, _ b: Span<UInt8>) -> Bool {
    var fine = true
    json.eachEntry(map) { key, _ in
      let text = nodes[key].contentRange
      json.eachEntry(map) { other, _ in
        let range = nodes[other].contentRange
        if other < key && range.count == text.count && b.extracting(range).matches(b.extracting(text)) { fine = false }
      }
    }
    return fine
  }

  private func differByHash(_ map: Int, _ b: Span<UInt8>) -> Bool {
    var seen: Set<[UInt8]> = []
    var fine = true
    json.eachEntry(map) { key, _ in
      if !seen.insert(b.extracting(nodes[key].contentRange).array).inserted { fine = false }
    }
    return fine
  }
}
