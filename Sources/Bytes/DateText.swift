/// Instants as RFC 3339 text and back, by arithmetic on the proleptic Gregorian calendar: no time zone database, no libc.
extension ByteQueue {
  /// Appends "2026-11-21T04:05:06.789Z". Years outside 0000–9999 get a sign, as ISO 8601 has it.
  /// - Parameter milliseconds: since 1970-01-01T00:00:00Z; any value.
  package mutating func append(rfc3339 milliseconds: Int64) {
    let (days, inDay) = floorDivide(milliseconds, 86_400_000)
    // Days to year, month and day, counted from March 1st so that the leap day is a year's last (H. Hinnant).
    let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let march = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * march + 2) / 5 + 1
    let month = march < 10 ? march + 3 : march - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    if year < 0 { append(UInt8(ascii: "-")) } else if year > 9999 { append(UInt8(ascii: "+")) }
    append(padded: year.magnitude, 4)
    append(UInt8(ascii: "-"))
    append(padded: UInt64(month), 2)
    append(UInt8(ascii: "-"))
    append(padded: UInt64(day), 2)
    append(UInt8(ascii: "T"))
    append(padded: UInt64(inDay / 3_600_000), 2)
    append(UInt8(ascii: ":"))
    append(padded: UInt64(inDay / 60_000 % 60), 2)
    append(UInt8(ascii: ":"))
    append(padded: UInt64(inDay / 1000 % 60), 2)
    append(UInt8(ascii: "."))
    append(padded: UInt64(inDay % 1000), 3)
    append(UInt8(ascii: "Z"))
  }

  /// A number in at least `digits` digits.
  package mutating func append(padded value: UInt64, _ digits: Int) {
    var limit: UInt64 = 10
    for _ in 1..<max(digits, 1) {
      if value < limit { append(0x30) }
      limit = limit &* 10
    }
    append(decimal: value)
  }
}

/// Milliseconds since 1970-01-01T00:00:00Z of RFC 3339 text ("2026-11-21T04:05:06.789+01:00"; a space or `t` for the
/// `T`, digits below the millisecond cut off), or nil when it is not that.
package func millisecondsFromRFC3339(_ t: Span<UInt8>) -> Int64? {
  func number(_ at: Int, _ digits: Int) -> Int64? {
    if t.count < at + digits { return nil }
    var v: Int64 = 0
    for i in at..<at + digits {
      if t[i] < 0x30 || t[i] > 0x39 { return nil }
      v = v * 10 + Int64(t[i] - 0x30)
    }
    return v
  }
  func has(_ c: StaticString, _ at: Int) -> Bool {
    at < t.count && c.withUTF8Buffer { p in unsafe p.contains(t[at]) }
  }
  guard let year = number(0, 4), has("-", 4), let month = number(5, 2), has("-", 7), let day = number(8, 2),
    has("Tt ", 10), let hour = number(11, 2), has(":", 13), let minute = number(14, 2), has(":", 16),
    let second = number(17, 2)
  else { return nil }
  let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  let lengths: [Int64] = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  if month < 1 || month > 12 || day < 1 || day > lengths[Int(month) - 1] { return nil }
  // A leap second is the first moment of the next minute.
  if hour > 23 || minute > 59 || second > 60 { return nil }
  var at = 19
  var fraction: Int64 = 0
  if has(".", at) {
    at += 1
    let start = at
    var scale: Int64 = 100
    while let digit = number(at, 1) {
      fraction += digit * scale
      scale /= 10
      at += 1
    }
    if at == start { return nil }
  }
  var offset: Int64 = 0
  if has("Zz", at) {
    at += 1
  } else {
    guard has("+-", at), let hours = number(at + 1, 2), has(":", at + 3), let minutes = number(at + 4, 2), hours < 24,
      minutes < 60
    else { return nil }
    offset = (hours * 60 + minutes) * (has("-", at) ? -1 : 1)
    at += 6
  }
  if at != t.count { return nil }
  let y = month <= 2 ? year - 1 : year
  let (era, yearOfEra) = floorDivide(y, 400)
  let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
  let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  return (days * 86_400 + hour * 3600 + (minute - offset) * 60 + second) * 1000 + fraction
}

private func floorDivide(_ a: Int64, _ b: Int64) -> (quotient: Int64, remainder: Int64) {
  let (q, r) = a.quotientAndRemainder(dividingBy: b)
  return r < 0 ? (q - 1, r + b) : (q, r)
}
