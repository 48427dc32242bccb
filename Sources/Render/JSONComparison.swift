/// JSON documents compared by what they mean: the order of members and the spelling of numbers don't count. And a document
/// as text again.
import Bytes

extension JSON {
  /// Whether both say the same.
  package func means(_ other: JSON) -> Bool {
    switch (self, other) {
    case (.null, .null): true
    case (.boolean(let a), .boolean(let b)): a == b
    case (.string(let a), .string(let b)): a == b
    case (.number(let a), .number(let b)): a == b || JSON.same(a, b)
    case (.array(let a), .array(let b)): a.count == b.count && zip(a, b).allSatisfy { $0.means($1) }
    case (.object(let a), .object(let b)):
      a.count == b.count && a.allSatisfy { member in other[member.name]?.means(member.value) ?? false }
    default: false
    }
  }

  /// Whole numbers exactly, whatever their size allows; others as doubles.
  private static func same(_ a: String, _ b: String) -> Bool {
    if let a = Int128(a), let b = Int128(b) { return a == b }
    guard let a = Double(a), let b = Double(b) else { return false }
    return a == b
  }

  /// On one line, members in their order.
  package var text: String {
    var q = ByteQueue()
    append(to: &q)
    return q.withReadable { $0.text }
  }

  private func append(to q: inout ByteQueue) {
    switch self {
    case .null: q.append("null")
    case .boolean(let v): q.append(v ? "true" : "false")
    case .number(let text): q.append(utf8: text)
    case .string(let text): q.append(jsonString: text)
    case .array(let items):
      q.append(UInt8(ascii: "["))
      for (i, item) in items.enumerated() {
        if i > 0 { q.append(UInt8(ascii: ",")) }
        item.append(to: &q)
      }
      q.append(UInt8(ascii: "]"))
    case .object(let members):
      q.append(UInt8(ascii: "{"))
      for (i, member) in members.enumerated() {
        if i > 0 { q.append(UInt8(ascii: ",")) }
        q.append(jsonString: member.name)
        q.append(UInt8(ascii: ":"))
        member.value.append(to: &q)
      }
      q.append(UInt8(ascii: "}"))
    }
  }

  /// A place where two documents differ: `user.id`, `items[2]`, and what stands there; nil: nothing does.
  package struct Difference: Sendable {
    package var path: String
    package var expected: JSON?
    package var got: JSON?
  }

  /// Where `got` is not what this document says, in its order; members and items that only `got` has come last.
  package func differences(_ got: JSON, at path: String = "") -> [Difference] {
    if means(got) { return [] }
    switch (self, got) {
    case (.object(let members), .object(let others)):
      var all: [Difference] = []
      for member in members {
        let path = JSON.path(path, member.name)
        if let other = got[member.name] {
          all += member.value.differences(other, at: path)
        } else {
          all.append(Difference(path: path, expected: member.value))
        }
      }
      for other in others where self[other.name] == nil {
        all.append(Difference(path: JSON.path(path, other.name), got: other.value))
      }
      return all
    case (.array(let items), .array(let others)):
      var all: [Difference] = []
      for i in 0..<max(items.count, others.count) {
        let place = "\(path)[\(i)]"
        if i < items.count && i < others.count {
          all += items[i].differences(others[i], at: place)
        } else {
          all.append(
            Difference(
              path: place, expected: i < items.count ? items[i] : nil, got: i < others.count ? others[i] : nil))
        }
      }
      return all
    default: return [Difference(path: path, expected: self, got: got)]
    }
  }

  /// As expressions spell it: a name that isn't plain stands in brackets.
  private static func path(_ path: String, _ name: String) -> String {
    let isPlain =
      !name.isEmpty
      && name.utf8.allSatisfy { c in
        (c >= 0x30 && c <= 0x39) || (c | 0x20 >= 0x61 && c | 0x20 <= 0x7a) || c == 0x5f || c == 0x2d
      }
    return isPlain ? "\(path).\(name)" : "\(path)[\(JSON.string(name).text)]"
  }
}
