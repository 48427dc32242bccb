// The kinds of value an option takes, and the one parser of each. A parser says what it expected; who calls it adds the
// option's name and the value, so all messages read alike. No floating point: `1.1s` is exactly 1,100,000,000 ns.

package enum ValueKind: Sendable, Equatable {
  case text
  /// Taken octet for octet; everything else must be UTF-8.
  case bytes
  case choice([String])
  /// Several choices, separated by commas, none twice.
  case list([String])
  /// `500ms 10s 2m 1h`, `1h30m`, `1.5` (seconds): nanoseconds.
  case duration
  /// `10`, `5k` (5,000), `2m` (2,000,000), at least 1.
  case count
  /// `512`, `64KiB` (65,536), `2MB` (2,000,000): octets.
  case size
  case integer(ClosedRange<Int>)
}

/// A value as it was parsed.
package enum OptionValue: Sendable, Equatable {
  case text(String)
  case bytes([UInt8])
  case list([String])
  /// Nanoseconds, a count, octets or a number, as the option's kind says.
  case number(Int)
}

/// Why a value was not taken; finishes the sentence "expected …".
package struct Expected: Error, Equatable, Sendable {
  package let what: String
}

extension ValueKind {
  package func parse(_ bytes: [UInt8]) throws(Expected) -> OptionValue {
    if case .bytes = self { return .bytes(bytes) }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw Expected(what: "UTF-8 text") }
    switch self {
    case .text, .bytes:
      return .text(text)
    case .choice(let choices):
      guard choices.contains(text) else { throw Expected(what: ValueKind.oneOf(choices)) }
      return .text(text)
    case .list(let choices):
      var items: [String] = []
      for item in text.split(separator: ",", omittingEmptySubsequences: false) {
        // Names in capitals are typed in any case.
        guard let choice = choices.first(where: { $0 == item || $0 == item.uppercased() }) else {
          throw Expected(what: "\(ValueKind.oneOf(choices)), or several with commas between them")
        }
        if !items.contains(choice) { items.append(choice) }
      }
      return .list(items)
    case .duration:
      return .number(try ValueKind.nanoseconds(text))
    case .count:
      guard let n = ValueKind.scaled(text, units: countUnits), n >= 1 else {
        throw Expected(what: "a count of 1 or more, like 10, 5k or 2m")
      }
      return .number(n)
    case .size:
      guard let n = ValueKind.scaled(text, units: sizeUnits) else {
        throw Expected(what: "a size like 512, 64KiB or 10MB")
      }
      return .number(n)
    case .integer(let range):
      let number = text.hasPrefix("-") ? Int(text) : ValueKind.scaled(text, units: [("", 1)])
      guard let n = number, range.contains(n) else {
        throw Expected(what: "a number from \(range.lowerBound) to \(range.upperBound)")
      }
      return .number(n)
    }
  }

  /// Nanoseconds of `500ms`, `10s`, `2m`, `1h`, `1h30m`; a number without a unit is seconds.
  package static func nanoseconds(_ text: String) throws(Expected) -> Int {
    let expected = Expected(what: "a duration like 500ms, 10s, 2m or 1h")
    var rest = Substring(text)
    var total = 0
    var smallest = Int.max
    repeat {
      let number = rest.prefix { $0 == "." || ($0.isASCII && $0.isNumber) }
      rest = rest[number.endIndex...]
      let unit = rest.prefix { !($0 == "." || ($0.isASCII && $0.isNumber)) }
      rest = rest[unit.endIndex...]
      // Units get smaller from left to right, so a bare number can stand only alone: `1h30` is not guessed at.
      guard let scale = durationUnits.first(where: { $0.0 == unit })?.1, scale < smallest,
        !unit.isEmpty || (total == 0 && smallest == Int.max && rest.isEmpty),
        let n = decimal(number, times: scale)
      else { throw expected }
      let (sum, overflow) = total.addingReportingOverflow(n)
      if overflow { throw expected }
      total = sum
      smallest = scale
    } while !rest.isEmpty
    return total
  }

  /// A number with an optional fraction and a unit of `units`; nil when it is none, isn't whole or doesn't fit.
  static func scaled(_ text: String, units: [(String, Int)]) -> Int? {
    let number = text.prefix { $0 == "." || ($0.isASCII && $0.isNumber) }
    let unit = text[number.endIndex...]
    guard let scale = units.first(where: { $0.0 == unit })?.1 else { return nil }
    return decimal(number, times: scale)
  }

  /// `12.5` × 1,000 → 12,500; nil unless the result is whole and fits.
  private static func decimal(_ text: Substring, times scale: Int) -> Int? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, let whole = parts.first, !(whole.isEmpty && (parts.count == 1 || parts[1].isEmpty))
    else { return nil }
    var fraction = parts.count == 2 ? parts[1] : ""
    while fraction.last == "0" { fraction.removeLast() }

    var digits = 0
    for byte in Array(whole.utf8) + Array(fraction.utf8) {
      let (tens, overflow1) = digits.multipliedReportingOverflow(by: 10)
      let (sum, overflow2) = tens.addingReportingOverflow(Int(byte) - 0x30)
      if overflow1 || overflow2 { return nil }
      digits = sum
    }
    // Shift the point out by shrinking the unit first: 12.123456789 s must not overflow on the way.
    var scale = scale
    var divisor = 1
    for _ in fraction.utf8 {
      if scale % 10 == 0 {
        scale /= 10
      } else {
        let (next, overflow) = divisor.multipliedReportingOverflow(by: 10)
        if overflow { return nil }
        divisor = next
      }
    }
    let (product, overflow) = digits.multipliedReportingOverflow(by: scale)
    return overflow || product % divisor != 0 ? nil : product / divisor
  }

  static func oneOf(_ choices: [String]) -> String {
    guard let last = choices.last, choices.count > 1 else { return choices.first ?? "nothing" }
    return choices.dropLast().joined(separator: ", ") + " or " + last
  }
}

private let durationUnits: [(String, Int)] = [
  ("", 1_000_000_000), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
  ("h", 3_600_000_000_000), ("d", 86_400_000_000_000),
]
private let countUnits: [(String, Int)] = [("", 1), ("k", 1_000), ("K", 1_000), ("m", 1_000_000), ("M", 1_000_000)]
private let sizeUnits: [(String, Int)] = [
  ("", 1), ("B", 1), ("kB", 1_000), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("KiB", 1 << 10),
  ("MiB", 1 << 20), ("GiB", 1 << 30),
]
