// What one read or write came to. A failure is thrown.

package enum IOProgress: Equatable, Sendable {
  /// So many bytes moved. A write may be short: the caller keeps the rest.
  case bytes(Int)
  /// Nothing now; poll says when.
  case wouldBlock
  /// Reading: the other side has finished. Writing: nobody reads any more (EPIPE).
  case end
}
