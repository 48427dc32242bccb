// What somebody probably meant to type: the nearest of the names that exist, or nothing when none is near.

package enum Suggestion {
  /// The nearest candidate: a name that `typed` begins or abbreviates, else one within a third of its length in edits.
  package static func nearest(to typed: String, among candidates: [String]) -> String? {
    guard !typed.isEmpty else { return nil }
    var best: (name: String, distance: Int)?
    let limit = max(1, typed.utf8.count / 3)
    for candidate in candidates {
      let d = distance(Array(typed.utf8), Array(candidate.utf8))
      if d <= limit, d < best?.distance ?? .max { best = (candidate, d) }
    }
    if let best { return best.name }
    // `--cou` for `--count`: abbreviations are not accepted (a new option would change their meaning), but understood.
    let extended = candidates.filter { typed.utf8.count >= 2 && $0.hasPrefix(typed) }
    return extended.min { $0.utf8.count < $1.utf8.count }
  }

  /// Edits between two words: insert, remove, replace, or swap two neighbours (optimal string alignment).
  package static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var previous = [Int](0...b.count)
    var beforePrevious = previous
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var cost = min(row[j] + 1, previous[j + 1] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforePrevious[j - 1] + 1) }
        row.append(cost)
      }
      beforePrevious = previous
      previous = row
    }
    return previous[b.count]
  }
}
