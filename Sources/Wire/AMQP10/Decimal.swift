/// Decimal floating point (part 1 §1.6.13–15: IEEE 754-2008, binary integer significand) as exact text and back.
/// Every member of a cohort is kept apart: 1.1 and 1.10 are different bits and different text.

/// The parts of a decimal32, decimal64 or decimal128.
package enum Decimal: Sendable, Equatable {
  case finite(negative: Bool, coefficient: UInt128, exponent: Int)
  case infinity(negative: Bool)
  case nan(negative: Bool, signaling: Bool)

  /// The three widths: bits in all, bits of the exponent, digits of the coefficient.
  struct Form: Sendable {
    let width: Int
    let exponentBits: Int
    let digits: Int
    static let decimal32 = Form(width: 32, exponentBits: 8, digits: 7)
    static let decimal64 = Form(width: 64, exponentBits: 10, digits: 16)
    static let decimal128 = Form(width: 128, exponentBits: 14, digits: 34)

    /// What is subtracted from the exponent's bits: the largest exponent, plus digits − 2.
    var bias: Int { 3 << (exponentBits - 3) + digits - 2 }
    var maximum: Int { 3 << (exponentBits - 2) - 1 - bias }
    var minimum: Int { -bias }
    var largest: UInt128 { (0..<digits).reduce(1) { power, _ in power * 10 } - 1 }
  }

  package init(decimal32 bits: UInt32) { self.init(UInt128(bits), .decimal32) }
  package init(decimal64 bits: UInt64) { self.init(UInt128(bits), .decimal64) }
  package init(decimal128 bits: UInt128) { self.init(bits, .decimal128) }

  private init(_ bits: UInt128, _ form: Form) {
    let negative = bits >> UInt128(form.width - 1) & 1 == 1
    // The five bits after the sign tell infinity and NaN; their first two, which of the layouts the exponent is in.
    let head = UInt8(truncatingIfNeeded: bits >> UInt128(form.width - 6)) & 0x1f
    if head == 0x1e {
      self = .infinity(negative: negative)
      return
    }
    if head == 0x1f {
      self = .nan(negative: negative, signaling: bits >> UInt128(form.width - 7) & 1 == 1)
      return
    }
    let mask = UInt128(1) << UInt128(form.exponentBits) - 1
    let shift: Int
    var coefficient: UInt128
    if head >> 3 == 3 {
      shift = form.width - 3 - form.exponentBits
      coefficient = bits & (UInt128(1) << UInt128(shift) - 1) | UInt128(4) << UInt128(shift)
    } else {
      shift = form.width - 1 - form.exponentBits
      coefficient = bits & (UInt128(1) << UInt128(shift) - 1)
    }
    // Bits beyond the digits are not canonical and mean zero.
    if coefficient > form.largest { coefficient = 0 }
    let exponent = Int(bits >> UInt128(shift) & mask) - form.bias
    self = .finite(negative: negative, coefficient: coefficient, exponent: exponent)
  }

  /// The bits, or nil when digits or exponent don't fit: nothing is rounded.
  package var decimal32: UInt32? { bits(.decimal32).map { UInt32($0) } }
  package var decimal64: UInt64? { bits(.decimal64).map { UInt64($0) } }
  package var decimal128: UInt128? { bits(.decimal128) }

  private func bits(_ form: Form) -> UInt128? {
    func sign(_ negative: Bool) -> UInt128 { negative ? UInt128(1) << UInt128(form.width - 1) : 0 }
    switch self {
    case .infinity(let negative): return sign(negative) | UInt128(0x1e) << UInt128(form.width - 6)
    case .nan(let negative, let signaling):
      return sign(negative) | UInt128(signaling ? 0x3f : 0x3e) << UInt128(form.width - 7)
    case .finite(let negative, let coefficient, let exponent):
      if coefficient > form.largest || exponent < form.minimum || exponent > form.maximum { return nil }
      let biased = UInt128(exponent + form.bias)
      let shift = form.width - 1 - form.exponentBits
      if coefficient >> UInt128(shift) == 0 { return sign(negative) | biased << UInt128(shift) | coefficient }
      let low = coefficient & (UInt128(1) << UInt128(shift - 2) - 1)
      return sign(negative) | UInt128(3) << UInt128(form.width - 3) | biased << UInt128(shift - 2) | low
    }
  }

  /// "1.10", "-0", "1E+30", "NaN", "-Infinity": the to-scientific-string of the General Decimal Arithmetic, which is
  /// also a JSON number whenever the value is finite.
  package var text: String {
    switch self {
    case .infinity(let negative): return negative ? "-Infinity" : "Infinity"
    case .nan(let negative, let signaling): return (negative ? "-" : "") + (signaling ? "sNaN" : "NaN")
    case .finite(let negative, let coefficient, let exponent):
      let sign = negative ? "-" : ""
      let digits = String(coefficient)
      let adjusted = exponent + digits.count - 1
      if exponent == 0 { return sign + digits }
      if exponent < 0 && adjusted >= -6 {
        let point = digits.count + exponent
        if point > 0 { return sign + digits.prefix(point) + "." + digits.dropFirst(point) }
        return sign + "0." + String(repeating: "0", count: -point) + digits
      }
      let mantissa = digits.count == 1 ? digits : digits.prefix(1) + "." + digits.dropFirst()
      return sign + mantissa + "E" + (adjusted < 0 ? "" : "+") + String(adjusted)
    }
  }

  /// The decimal that `text` spells, digit for digit; nil when it is not a decimal number.
  package init?(_ text: String) {
    var rest = Substring(text)
    var negative = false
    if rest.first == "-" || rest.first == "+" { negative = rest.removeFirst() == "-" }
    switch rest.lowercased() {
    case "nan":
      self = .nan(negative: negative, signaling: false)
      return
    case "snan":
      self = .nan(negative: negative, signaling: true)
      return
    case "inf", "infinity":
      self = .infinity(negative: negative)
      return
    default: break
    }
    var coefficient: UInt128 = 0
    var exponent = 0
    var digits = 0
    var point = false
    while let c = rest.first, c == "." || c.isASCII && c.isWholeNumber {
      rest.removeFirst()
      if c == "." {
        if point { return nil }
        point = true
        continue
      }
      digits += 1
      let (product, overflow) = coefficient.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt128(c.wholeNumberValue ?? 0))
      if overflow || carry { return nil }
      coefficient = sum
      if point { exponent -= 1 }
    }
    if digits == 0 { return nil }
    if let e = rest.first, e == "e" || e == "E" {
      guard let shift = Int(rest.dropFirst()), shift.magnitude < 1_000_000 else { return nil }
      exponent += shift
    } else if !rest.isEmpty {
      return nil
    }
    self = .finite(negative: negative, coefficient: coefficient, exponent: exponent)
  }
}
