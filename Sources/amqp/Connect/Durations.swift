// Durations as failures name them: "5s", "50ms".

func durationText(_ nanoseconds: Int64) -> String {
  nanoseconds % 1_000_000_000 == 0 ? "\(nanoseconds / 1_000_000_000)s" : "\(nanoseconds / 1_000_000)ms"
}
