// Numbers and versions, as conditions compare them.

/// A whole number exactly, anything else as a double.
struct Number: Equatable {
  private let whole: Int128?
  private let double: Double

  init?(_ text: String) {
    guard text.utf8.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || "+-.eE".utf8.contains($0) }), let double = Double(text),
      double.isFinite
    else { return nil }
    self.double = double
    whole = Int128(text)
  }

  func order(to other: Number) -> Int {
    if let a = whole, let b = other.whole { return a < b ? -1 : a > b ? 1 : 0 }
    return double < other.double ? -1 : double > other.double ? 1 : 0
  }
}

/// `4.0.5`, `3.13.0-rc.2`, `4.1.0+3.gabcdef`: components that are compared one by one, a missing one as 0. What follows a `-` comes
/// before the version itself, what follows a `+` counts for nothing.
struct Version: Equatable {
  private let numbers: [UInt64]
  private let preview: [Substring]

  init?(_ text: String) {
    let release = text.prefix { $0 != "+" }
    let parts = release.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    guard let core = parts.first, !core.isEmpty else { return nil }
    var numbers: [UInt64] = []
    for component in core.split(separator: ".", omittingEmptySubsequences: false) {
      guard component.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = UInt64(component) else { return nil }
      numbers.append(number)
    }
    self.numbers = numbers
    preview = parts.count > 1 ? parts[1].split(separator: ".") : []
  }

  func order(to other: Version) -> Int {
    for i in 0..<max(numbers.count, other.numbers.count) {
      let a = i < numbers.count ? numbers[i] : 0
      let b = i < other.numbers.count ? other.numbers[i] : 0
      if a != b { return a < b ? -1 : 1 }
    }
    if preview.isEmpty || other.preview.isEmpty { return (preview.isEmpty ? 1 : 0) - (other.preview.isEmpty ? 1 : 0) }
    for (a, b) in zip(preview, other.preview) where a != b {
      // Numbers come before words.
      switch (UInt64(a), UInt64(b)) {
      case (let a?, let b?): return a < b ? -1 : 1
      case (_?, nil): return -1
      case (nil, _?): return 1
      case (nil, nil): return a < b ? -1 : 1
      }
    }
    return preview.count - other.preview.count
  }
}
