// One connection of its own for one protocol header: name, TCP and TLS with the time that each took, then what the peer
// answers to these eight octets. Nothing else is said, and no secret leaves the house.
import Bytes
import Runtime
import Transport
import Wire

final class HeaderCheck {
  private enum State {
    case dialing(ConnectAttempt)
    case up(ByteStream)
    case done
  }

  let row: HeaderAnswer.Row
  private(set) var name: ProbeReport.Name?
  private(set) var tcp: ProbeReport.TCP?
  /// Nanoseconds of the handshake.
  private(set) var tlsDuration: Int64?
  private(set) var session: TLSSession?
  private(set) var answer: HeaderAnswer?
  /// Why there is no connection.
  private(set) var failure: Peer.Failure?
  /// It was not there in time.
  private(set) var isTimedOut = false

  private let host: String
  private let tls: TLSContext?
  private let capture: WireCapture?
  private var taps: [(Peer.Direction, Span<UInt8>) -> Void] = []
  private var state: State
  private var heard = ByteQueue()
  private var unsent: [UInt8]
  private let started = Clock.now
  private var resolvedAt: Int64?
  private var connectedAt: Int64 = 0
  private var askedAt: Int64 = 0
  private let limit: Int64

  /// What is asked for an answer is not waited for any longer than this, when others have had theirs.
  private static let patience: Int64 = 3_000_000_000
  /// An answer that is not complete by then never will be.
  private static let bound = 1 << 20

  /// - Parameter timeout: nanoseconds until a connection, and an answer, have to be there.
  init(
    _ row: HeaderAnswer.Row, _ endpoint: Endpoint, _ tls: TLSContext?, timeout: Int64, trace: Trace?,
    capture: WireCapture?
  ) {
    (self.row, self.tls, self.capture) = (row, tls, capture)
    if let trace { taps.append(trace.tap()) }
    host = endpoint.host
    unsent = row.header.bytes
    limit = started + timeout
    state = .dialing(ConnectAttempt(to: endpoint))
  }

  /// There is a connection, secured if it has to be, and the header is out.
  var hasAsked: Bool { unsent.isEmpty }
  var isDone: Bool { if case .done = state { true } else { false } }

  /// Goes as far as it can without waiting.
  func turn(now: Int64) {
    switch state {
    case .done: return
    case .dialing(let attempt): dial(attempt, now: now)
    case .up(let stream): ask(stream)
    }
    if !isDone && now >= limit { giveUp() }
  }

  /// Others have answered: this one has little time left.
  func hurry(now: Int64) {
    if case .up = state, now >= connectedAt + HeaderCheck.patience { giveUp() }
  }

  private func giveUp() {
    if case .up = state, failure == nil, unsent.isEmpty {
      answer = heard.withReadable { HeaderAnswer(row, $0, isAll: true) }
      if heard.isEmpty { answer?.outcome = .silent }
    } else {
      isTimedOut = true
    }
    state = .done
  }

  private func dial(_ attempt: ConnectAttempt, now: Int64) {
    let before = Clock.now
    defer {
      if resolvedAt == nil, let found = attempt.addresses {
        resolvedAt = before
        let isAsked = Resolver.immediate(attempt.endpoint) == nil
        name = ProbeReport.Name(
          duration: isAsked ? before - started : 0, addresses: found.map { $0.endpoint.host }.uniqued)
      }
    }
    do throws(EndpointError) {
      guard let socket = try attempt.advance(now: now) else { return }
      connectedAt = Clock.now
      let from = resolvedAt ?? before
      tcp = ProbeReport.TCP(duration: connectedAt - from, address: socket.peerAddress.map { "\($0)" } ?? "")
      start(socket)
    } catch {
      failure = .unreachable(error)
      state = .done
    }
  }

  private func start(_ socket: Socket) {
    let ends = (local: socket.localAddress, remote: socket.peerAddress)
    if let capture { taps.append(capture.tap(isDialled: true) { ends }) }
    do throws(TLSFailure) {
      session = try tls.map { context throws(TLSFailure) in try TLSSession(context, host: host) }
      let stream = ByteStream(socket, session)
      state = .up(stream)
      ask(stream)
    } catch {
      failure = .tls(error)
      state = .done
    }
  }

  private func ask(_ stream: ByteStream) {
    do throws(StreamFailure) {
      let before = heard.count
      try heard.fill(room: try stream.prepareRead()) { span throws(StreamFailure) in _ = try stream.read(into: &span) }
      if heard.count > before {
        if answer == nil && before == 0 { firstHeardAt = Clock.now }
        heard.withReadable { tapped(.incoming, $0.extracting(before..<$0.count)) }
      }
      if let session, session.isOpen, tlsDuration == nil { tlsDuration = Clock.now - connectedAt }
      if !unsent.isEmpty {
        askedAt = Clock.now
        let due = unsent
        let n = try stream.write(due.span)
        if n > 0 { tapped(.outgoing, due.span.extracting(0..<n)) }
        unsent.removeFirst(n)
      }
      try stream.push()
    } catch {
      switch error {
      case .tls(let error): failure = .tls(error)
      // Whoever is asked something that it doesn't know may hang up in any way.
      case .system: answer = heard.withReadable { HeaderAnswer(row, $0, isAll: true) }
      }
      return finish()
    }
    answer = heard.withReadable { b in
      HeaderAnswer(row, b, isAll: stream.isAtEnd || b.count > HeaderCheck.bound)
    }
    if answer != nil {
      stream.endWriting()
      finish()
    }
  }
  private var firstHeardAt: Int64?

  private func tapped(_ direction: Peer.Direction, _ octets: Span<UInt8>) {
    for tap in taps { tap(direction, octets) }
  }

  private func finish() {
    // No more comes, in either direction.
    let none: [UInt8] = []
    tapped(.incoming, none.span)
    tapped(.outgoing, none.span)
    if let firstHeardAt, askedAt > 0 { answer?.duration = max(0, firstHeardAt - askedAt) }
    state = .done
  }

  func register(_ polls: inout PollSet) {
    switch state {
    case .dialing(let attempt):
      if let interest = attempt.interest {
        _ = polls.add(interest.number, read: interest.read, write: interest.write)
      }
    case .up(let stream): _ = polls.add(stream.number, read: true, write: stream.wantsWrite)
    case .done: break
    }
  }

  /// - Parameter hurries: others have answered.
  func deadline(hurries: Bool) -> Int64? {
    switch state {
    case .dialing(let attempt): min(limit, attempt.deadline ?? limit)
    case .up: hurries ? min(limit, connectedAt + HeaderCheck.patience) : limit
    case .done: nil
    }
  }
}

extension [String] {
  /// Each once, in the order in which they come.
  var uniqued: [String] {
    var seen: Set<String> = []
    return filter { seen.insert($0).inserted }
  }
}
