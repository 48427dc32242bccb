// `--template`: text with fields that are filled in for each message.
//
//     {n}         the message's number in this run, from 1
//     {time}      now, as RFC 3339 in UTC with milliseconds
//     {uuid}      a random UUID
//     {random:N}  N random letters and digits
//     {env:X}     the environment variable X
//     {{ and }}   the braces themselves
//
// It is checked before anything is connected: a field that doesn't exist, a variable that is not set and a brace that stands
// alone are usage errors.
import Bytes
import Console
import Transport
import Wire

struct Template {
  private enum Part {
    case text([UInt8])
    case number, time, uuid
    case random(Int)
  }
  private var parts: [Part] = []

  /// - Parameter variable: of the environment.
  init(_ bytes: [UInt8], variable: (String) -> String? = Environment.variable) throws(TextFault) {
    var text: [UInt8] = []
    var i = 0
    while i < bytes.count {
      let c = bytes[i]
      let isDouble = i + 1 < bytes.count && bytes[i + 1] == c
      if c == UInt8(ascii: "{") && !isDouble {
        guard let end = bytes[i...].firstIndex(of: UInt8(ascii: "}")) else {
          throw TextFault("a '{' without its '}' (write '{{' for a brace)")
        }
        let field = try Template.field(String(decoding: bytes[i + 1..<end], as: UTF8.self), variable)
        if case .text(let value) = field {
          text += value
        } else {
          if !text.isEmpty { parts.append(.text(text)) }
          text = []
          parts.append(field)
        }
        i = end + 1
        continue
      }
      if c == UInt8(ascii: "{") || c == UInt8(ascii: "}") {
        if !isDouble { throw TextFault("a '}' that ends nothing (write '}}' for a brace)") }
        i += 1
      }
      text.append(c)
      i += 1
    }
    if !text.isEmpty || parts.isEmpty { parts.append(.text(text)) }
  }

  private static func field(_ name: String, _ variable: (String) -> String?) throws(TextFault) -> Part {
    switch name {
    case "n": return .number
    case "time": return .time
    case "uuid": return .uuid
    default: break
    }
    if name.hasPrefix("random:") {
      guard let count = Int(name.dropFirst(7)), (1...1_000_000).contains(count) else {
        throw TextFault("{\(name)}: expected a number of characters from 1 to 1000000")
      }
      return .random(count)
    }
    if name.hasPrefix("env:") {
      let key = String(name.dropFirst(4))
      guard let value = variable(key) else { throw TextFault("{\(name)}: the variable \(key) is not set") }
      return .text(Array(value.utf8))
    }
    throw TextFault("no field {\(name)}: {n}, {time}, {uuid}, {random:N}, {env:X}, or '{{' for a brace")
  }

  /// No field is in it.
  var isConstant: Bool {
    if parts.count == 1, case .text = parts[0] { return true }
    return false
  }

  /// - Parameter wall: nanoseconds since 1970.
  func expand(number: Int, wall: Int64 = Clock.wall) -> [UInt8] {
    var q = ByteQueue()
    for part in parts {
      switch part {
      case .text(let bytes): q.append(bytes)
      case .number: q.append(decimal: number)
      case .time: q.append(rfc3339: wall / 1_000_000)
      case .uuid: q.append(utf8: Template.uuid())
      case .random(let count): for _ in 0..<count { q.append(Template.letters.randomElement() ?? 0x61) }
      }
    }
    return q.bytes
  }

  private static let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)

  /// Version 4, RFC 9562.
  static func uuid() -> String {
    let high = UInt64.random(in: 0 ... .max) & ~0xf000 | 0x4000
    let low = UInt64.random(in: 0 ... .max) & ~(3 << 62) | 2 << 62
    return Value.uuidText(UInt128(high) << 64 | UInt128(low))
  }
}

/// The texts of options, each made a template once.
final class Templates {
  private var compiled: [String: Template] = [:]

  func expand(_ text: String, _ option: String, number: Int) throws(Failure) -> String {
    if !text.utf8.contains(UInt8(ascii: "{")) && !text.utf8.contains(UInt8(ascii: "}")) { return text }
    if let template = compiled[text] { return String(decoding: template.expand(number: number), as: UTF8.self) }
    do throws(TextFault) { compiled[text] = try Template(Array(text.utf8)) } catch {
      throw .usage("\(option) '\(text)'", error.reason)
    }
    return try expand(text, option, number: number)
  }

  /// A text that was expanded has a field.
  var vary: Bool { compiled.values.contains { !$0.isConstant } }
}
