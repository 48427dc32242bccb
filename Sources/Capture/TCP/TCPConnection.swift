/// What is remembered of one connection between two endpoints.

struct TCPConnection {
  /// The endpoints, in the order in which the first packet had them.
  var a: Endpoint
  var b: Endpoint
  /// The number that the reader's events carry; nil before `opened`.
  var stream: Int?
  /// `a` is the side that started.
  var isForwardFromA: Bool
  var startSeen = false
  var fromA = TCPDirection()
  var fromB = TCPDirection()
  var isClosed = false
  /// Used since the search for the place to give away last came by.
  var isRecent = true

  init(_ a: Endpoint, _ b: Endpoint) {
    (self.a, self.b, isForwardFromA) = (a, b, true)
  }

  var holdsSomething: Bool { !fromA.held.isEmpty || !fromB.held.isEmpty }

  subscript(isFromA: Bool) -> TCPDirection {
    _read {
      if isFromA { yield fromA } else { yield fromB }
    }
    _modify {
      if isFromA { yield &fromA } else { yield &fromB }
    }
  }

  func direction(fromA: Bool) -> Direction { fromA == isForwardFromA ? .forward : .backward }

  var description: StreamDescription {
    StreamDescription(
      source: (isForwardFromA ? a : b).text, target: (isForwardFromA ? b : a).text, startSeen: startSeen)
  }
}

/// Both endpoints in an order of their own, so that both directions find the same connection.
struct ConnectionKey: Hashable {
  var lower: Endpoint
  var upper: Endpoint

  init(_ a: Endpoint, _ b: Endpoint) {
    let isOrdered = a.high != b.high ? a.high < b.high : a.low != b.low ? a.low < b.low : a.port <= b.port
    (lower, upper) = isOrdered ? (a, b) : (b, a)
  }
}
