// `--expect`: one condition on what is found out, KEY OP VALUE or KEY alone. It reads the JSON of a report and nothing else,
// so whatever is printed can be asked for, under the same name.
import Console
import Render
import Wire

struct Expectation {
  enum Operator: String, CaseIterable {
    // Longer ones first: that is the order in which they are looked for.
    case atMost = "<="
    case atLeast = ">="
    case unequal = "!="
    case equalTwice = "=="
    case less = "<"
    case greater = ">"
    case equal = "="
    case contains

    /// Whether it asks which is the larger.
    var isOrder: Bool {
      switch self {
      case .atMost, .atLeast, .less, .greater: true
      case .unequal, .equalTwice, .equal, .contains: false
      }
    }
  }

  /// As typed.
  let text: String
  /// It is about every NODE.
  let isAboutNodes: Bool
  private let key: String
  /// Nil: the key alone, which has to be there, and be neither false, 0 nor empty.
  private let comparison: (op: Operator, value: String)?

  /// It says itself what is to be of a NODE that isn't there.
  var isAboutExistence: Bool { isAboutNodes && key == "exists" }

  // MARK: Reading it

  init(_ text: String) throws(TextFault) {
    self.text = text
    let trimmed = Expectation.trimmed(text[...])
    let path = trimmed.prefix { !" \t<>=!".contains($0) }
    if path.isEmpty {
      throw TextFault(trimmed.isEmpty ? "it is empty" : "it begins with no key; KEY OP VALUE such as 'version >= 4'")
    }
    let rest = Expectation.trimmed(trimmed[path.endIndex...])
    let head = path.prefix { $0 != "." }
    guard ProbeKeys.first.contains(String(head)) else {
      let near = ProbeKeys.nearest(String(head))
      throw TextFault("there is no key '\(head)'" + (near.map { ", did you mean '\($0)'?" } ?? ""))
    }
    isAboutNodes = head == "queue" || head == "node"
    key = isAboutNodes ? String(path.dropFirst(head.count + 1)) : String(path)
    if path.split(separator: ".", omittingEmptySubsequences: false).contains(where: \.isEmpty) {
      throw TextFault("there is an empty name in '\(path)'")
    }
    if isAboutNodes && key.isEmpty { throw TextFault("\(head) wants a key behind it, such as \(head).messages") }
    comparison = try Expectation.comparison(rest, path)
  }

  private static func comparison(
    _ rest: Substring, _ path: Substring
  ) throws(TextFault) -> (op: Operator, value: String)? {
    if rest.isEmpty { return nil }
    guard let op = Operator.allCases.first(where: { rest.hasPrefix($0.rawValue) }) else {
      let found = rest.prefix { $0 != " " }
      throw TextFault("expected <, <=, >, >=, =, != or contains behind '\(path)', got '\(found)'")
    }
    var value = trimmed(rest.dropFirst(op.rawValue.count))
    if op == .contains, let next = rest.dropFirst(op.rawValue.count).first, next != " " {
      throw TextFault("expected a blank behind contains")
    }
    if value.isEmpty { throw TextFault("'\(op.rawValue)' wants a value behind it") }
    if let quote = value.first, quote == "\"" || quote == "'" {
      guard value.count > 1, value.last == quote else { throw TextFault("the quote of the value is not closed") }
      value = value.dropFirst().dropLast()
    } else if let sign = value.first, "<>=!".contains(sign) {
      throw TextFault("there is no operator '\(op.rawValue)\(sign)'")
    }
    if op.isOrder, Number(String(value)) == nil && Version(String(value)) == nil {
      throw TextFault("'\(op.rawValue)' compares numbers and versions, and '\(value)' is neither")
    }
    return (op, String(value))
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return text
  }

  // MARK: Asking it

  /// Why it does not hold, one for each NODE or the peer that it doesn't hold for: "queue.messages of 'orders' is 1200".
  func faults(in report: JSON) -> [String] {
    guard isAboutNodes else { return fault(in: report, "'\(key)'").map { [$0] } ?? [] }
    guard case .array(let nodes)? = report["nodes"] else { return ["nothing is known of any NODE"] }
    return nodes.compactMap { node in
      guard case .string(let name)? = node["name"] else { return nil }
      return fault(in: node, "'\(key)' of '\(name)'")
    }
  }

  private func fault(in object: JSON, _ subject: String) -> String? {
    guard let found = object.value(at: key) else {
      let near = ProbeKeys.nearest(key, in: object)
      return "\(subject) is not known" + (near.map { "; '\($0)' is" } ?? "")
    }
    guard let (op, value) = comparison else {
      return found.isNothing ? "\(subject) is \(found.plainText)" : nil
    }
    switch holds(found, op, value) {
    case true?: return nil
    case false?: return "\(subject) is \(found.plainText)"
    case nil: return "\(subject) is \(found.plainText), which '\(op.rawValue)' can't compare with '\(value)'"
    }
  }

  /// Nil: they can't be compared.
  private func holds(_ found: JSON, _ op: Operator, _ value: String) -> Bool? {
    switch op {
    case .contains:
      switch found {
      case .array(let items): return items.contains { $0.plainText == value }
      case .string(let text): return text.contains(value)
      case .object(let members): return members.contains { $0.name == value }
      case .null, .boolean, .number: return nil
      }
    case .equal, .equalTwice: return isEqual(found, value)
    case .unequal: return isEqual(found, value).map { !$0 }
    case .less: return order(found, value).map { $0 < 0 }
    case .atMost: return order(found, value).map { $0 <= 0 }
    case .greater: return order(found, value).map { $0 > 0 }
    case .atLeast: return order(found, value).map { $0 >= 0 }
    }
  }

  private func isEqual(_ found: JSON, _ value: String) -> Bool? {
    switch found {
    case .number: return order(found, value).map { $0 == 0 } ?? false
    case .boolean(let v): return value == (v ? "true" : "false")
    case .string(let text): return text == value || order(found, value) == 0
    case .array(let items): return items.map(\.plainText).joined(separator: ",") == value
    case .null, .object: return nil
    }
  }

  /// Below 0: what was found is the lesser. Text is a version, or has no order.
  private func order(_ found: JSON, _ value: String) -> Int? {
    switch found {
    case .number(let text):
      guard let a = Number(text), let b = Number(value) else { return nil }
      return a.order(to: b)
    case .string(let text):
      guard let a = Version(text), let b = Version(value) else { return nil }
      return a.order(to: b)
    case .null, .boolean, .array, .object: return nil
    }
  }
}

extension ProbeKeys {
  static func nearest(_ key: String) -> String? { Suggestion.nearest(to: key, among: first) }

  /// A key that the object has, and that may have been meant.
  static func nearest(_ key: String, in object: JSON) -> String? {
    guard case .object(let members) = object else { return nil }
    let head = String(key.prefix { $0 != "." })
    if let inner = object[head], head != key {
      return nearest(String(key.dropFirst(head.count + 1)), in: inner).map { "\(head).\($0)" }
    }
    return Suggestion.nearest(to: head, among: members.map(\.name))
  }
}

extension JSON {
  /// The value behind a key with dots. A name that has dots itself is found too; in an array a number counts from 0.
  func value(at key: String) -> JSON? {
    if key.isEmpty { return self }
    let names = key.split(separator: ".", omittingEmptySubsequences: false)
    switch self {
    case .object:
      for count in stride(from: names.count, through: 1, by: -1) {
        guard let inner = self[names[..<count].joined(separator: ".")] else { continue }
        if let found = inner.value(at: names[count...].joined(separator: ".")) { return found }
      }
      return nil
    case .array(let items):
      guard let i = Int(names[0]), items.indices.contains(i) else { return nil }
      return items[i].value(at: names[1...].joined(separator: "."))
    case .null, .boolean, .number, .string: return nil
    }
  }

  /// As a condition's value is written.
  var plainText: String {
    switch self {
    case .null: "null"
    case .boolean(let v): v ? "true" : "false"
    case .number(let text), .string(let text): text
    case .array(let items): items.isEmpty ? "empty" : items.map(\.plainText).joined(separator: ",")
    case .object: "an object"
    }
  }

  /// False, 0, or nothing at all.
  fileprivate var isNothing: Bool {
    switch self {
    case .null: true
    case .boolean(let v): !v
    case .number(let text): Double(text) == 0
    case .string(let text): text.isEmpty
    case .array(let items): items.isEmpty
    case .object(let members): members.isEmpty
    }
  }
}
