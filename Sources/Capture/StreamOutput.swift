/// What a layer has to say before it looks at more input.
enum StreamOutput: Sendable {
  case event(CaptureEvent)
  /// Octets that stand nowhere in the input.
  case held(stream: Int, Direction, time: Int64?, [UInt8])
}
