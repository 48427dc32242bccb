/// A decimal of 0-9-1: a number and how many of its digits stand behind the point. The text keeps both, so "1.10" and "1.1"
/// are not the same.
package struct Decimal091: Sendable, Equatable {
  package var scale: UInt8
  package var digits: Int32

  package init(scale: UInt8, digits: Int32) { (self.scale, self.digits) = (scale, digits) }

  package init?(_ text: String) {
    let isNegative = text.hasPrefix("-")
    let sides = text.dropFirst(isNegative ? 1 : 0).split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let all = sides.joined()
    guard !sides[0].isEmpty, sides.count == 1 || !sides[1].isEmpty, all.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
      let scale = UInt8(exactly: sides.count == 1 ? 0 : sides[1].utf8.count),
      let digits = Int32((isNegative ? "-" : "") + all)
    else { return nil }
    self.init(scale: scale, digits: digits)
  }

  package var text: String {
    var all = String(digits.magnitude)
    if scale > 0 {
      all = String(repeating: "0", count: max(0, Int(scale) + 1 - all.utf8.count)) + all
      all.insert(".", at: all.index(all.endIndex, offsetBy: -Int(scale)))
    }
    return (digits < 0 ? "-" : "") + all
  }

  package var value: Value {
    .described(descriptor: Value.decimal091, value: .list([.ubyte(scale), .int(digits)]))
  }
}
