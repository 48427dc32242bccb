// Reads the two clocks. Everything else is given the time as an argument.
internal import Glibc

package enum Clock {
  /// Nanoseconds since an arbitrary moment; never goes back.
  package static var now: Int64 { nanoseconds(CLOCK_MONOTONIC) }

  /// Nanoseconds since 1970-01-01 UTC; moves when someone sets the clock.
  package static var wall: Int64 { nanoseconds(CLOCK_REALTIME) }

  private static func nanoseconds(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
