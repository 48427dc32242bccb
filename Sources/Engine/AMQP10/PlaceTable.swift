/// What stands behind numbers that the peer chooses and our limits keep small: its handles (part 2 §2.6.2), its channels.
struct PlaceTable: Sendable {
  /// -1 for none.
  private var places: [Int] = []

  subscript(number: Int) -> Int? {
    get { number < places.count && places[number] >= 0 ? places[number] : nil }
    set {
      while places.count <= number { places.append(-1) }
      places[number] = newValue ?? -1
    }
  }
}
