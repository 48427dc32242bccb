/// Round trips of the 1.0 machine, for whoever measures them. Every peer has to answer an end with an end (part 2 §2.7.8),
/// and has little else to do about one, so a beat is a session that is ended as soon as it is there. Flow with echo would
/// be lighter, but some never answer it.

extension Machine10 {
  /// Asks for one; false when no channel is left for it.
  mutating func beat() -> Bool {
    guard phase == .running, let s = beginSession() else { return false }
    sessions[s].isBeat = true
    return true
  }

  /// The beat's session is there: the end is what is measured.
  mutating func beatBegan(_ s: Int) {
    sessions[s].state = .ending
    sessions[s].endDue = true
  }
}
