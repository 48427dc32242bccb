/// A stream and the connection that speaks over it: the one place where received octets enter a machine and its octets
/// leave. It decides nothing about messages; who drives it takes events from `connection`.
import Bytes
package import Engine
package import Transport

package final class Peer {
  package enum Direction: Sendable { case incoming, outgoing }

  /// Why there is no conversation (any more).
  package enum Failure: Error, Sendable {
    /// No address of the endpoint answered.
    case unreachable(EndpointError)
    /// The connection was not there in time; `isConnected`: what it runs over was.
    case timedOut(isConnected: Bool)
    /// Reading or writing failed in the middle.
    case broken(Errno)
    /// There is no TLS with this peer.
    case tls(TLSFailure)
  }

  package var connection: Connection
  /// "localhost:5672", for people.
  package let name: String
  /// Told of all octets, before a machine sees them and after it wrote them, and of no octets when no more come in that
  /// direction: `--trace`, `--capture`.
  package var taps: [(Direction, Span<UInt8>) -> Void] = []
  /// We called, and not the peer.
  package let isDialled: Bool
  package private(set) var failure: Failure?
  /// When a connection that is not up by then is given up.
  private var connectDeadline: Int64?

  private enum Stream {
    case connecting(ConnectAttempt)
    case up(ByteStream)
    /// Nobody is there: `--dry-run`.
    case inMemory(Loopback)
    case gone
  }
  private var stream: Stream
  private var token: PollSet.Token?
  private var inputEnded = false
  /// Nil: clear text.
  private let security: TLSContext?
  private let host: String
  /// The connection knows whom the peer's certificate names.
  private var isIdentified = false

  /// Dials. `deadline` bounds the time until `opened`.
  package init(
    dialing endpoint: Endpoint, _ settings: ConnectionSettings, tls: TLSContext? = nil, now: Int64, deadline: Int64?
  ) {
    let attempt = ConnectAttempt(to: endpoint)
    // The network is at work while the machine is made.
    attempt.begin(now: now)
    connection = Connection(settings, now: now)
    name = "\(endpoint)"
    (security, host, isDialled) = (tls, endpoint.host, true)
    stream = .connecting(attempt)
    connectDeadline = deadline
  }

  /// Speaks with nobody: every link is granted, every message accepted, nothing leaves the process but what `tap` shows.
  package init(rehearsing settings: ConnectionSettings, now: Int64) {
    connection = Connection(settings, now: now)
    name = "nobody"
    (security, host, isDialled) = (nil, "", true)
    stream = .inMemory(Loopback(now: now))
  }

  /// Takes over an accepted socket.
  package init(
    accepted socket: Socket, _ settings: ConnectionSettings, tls: TLSContext? = nil, now: Int64, deadline: Int64?
  ) {
    connection = Connection(settings, now: now)
    name = socket.peerAddress.map { "\($0)" } ?? "a peer"
    (security, host, isDialled) = (tls, "", false)
    stream = .gone
    connectDeadline = deadline
    start(socket)
  }

  /// The socket is connected.
  private func start(_ socket: Socket) {
    address = socket.peerAddress
    do throws(TLSFailure) {
      let session = try security.map { context throws(TLSFailure) in try TLSSession(context, host: host) }
      stream = .up(ByteStream(socket, session))
    } catch {
      fail(.tls(error))
    }
  }

  /// The peer's open is there: no connect time-out from here on.
  package func isOpen() { connectDeadline = nil }

  /// Nil: clear text, or not connected.
  package var session: TLSSession? { if case .up(let stream) = stream { stream.session } else { nil } }

  /// Both ends; nil when there is no connection.
  package var addresses: (local: SocketAddress?, remote: SocketAddress?) {
    if case .up(let stream) = stream { (stream.localAddress, stream.peerAddress) } else { (nil, nil) }
  }
  /// The address at the other end; nil when there never was a connection.
  package private(set) var address: SocketAddress?

  package var isGone: Bool { if case .gone = stream { true } else { false } }
  package var isConnected: Bool {
    switch stream {
    case .up, .inMemory: true
    case .connecting, .gone: false
    }
  }

  /// Reads once what there is. Call it, then take all events, then `flush`.
  package func read(now: Int64) {
    switch stream {
    case .connecting(let attempt):
      if let connectDeadline, now >= connectDeadline { return fail(.timedOut(isConnected: false)) }
      do throws(EndpointError) {
        guard let socket = try attempt.advance(now: now) else { return }
        start(socket)
      } catch {
        fail(.unreachable(error))
      }
    case .up(let stream):
      connection.tick(now: now)
      if let connectDeadline, now >= connectDeadline, !prods(stream, now: now) {
        return fail(.timedOut(isConnected: true))
      }
      if !inputEnded { read(stream, now: now) }
    case .inMemory(let loopback):
      loopback.give(now: now) { octets in
        connection.receive(now: now, room: octets.count) { span in
          span.append(copying: octets)
        }
      }
    case .gone: break
    }
  }

  /// What waits for a whole line, as web servers do, is given one before it is given up: its answer tells what it is.
  private func prods(_ stream: ByteStream, now: Int64) -> Bool {
    guard silence == .unbroken, security == nil, !host.isEmpty else { return false }
    silence = .prodded
    connectDeadline = now + 500_000_000
    let blankLine: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a]
    _ = try? stream.write(blankLine.span)
    return true
  }

  /// Whether the peer has said anything.
  private enum Silence { case unbroken, prodded, broken }
  private var silence = Silence.unbroken

  private func read(_ stream: ByteStream, now: Int64) {
    var fault: StreamFailure?
    do throws(StreamFailure) {
      let n = connection.receive(now: now, room: try stream.prepareRead()) { span in
        // What was received before a fault is still good.
        do throws(StreamFailure) { _ = try stream.read(into: &span) } catch { fault = error }
      }
      if n > 0 { silence = .broken }
      if !taps.isEmpty && n > 0 { connection.withLastReceived(n) { tapped(.incoming, $0) } }
    } catch {
      fault = error
    }
    if let fault { return lost(fault) }
    // Before any event is asked for: the octets of logging in may have come along.
    if !isIdentified, let session = stream.session, session.isOpen {
      isIdentified = true
      if let name = session.clientName { connection.identify(name) }
    }
    if stream.isAtEnd {
      tappedEnd(.incoming)
      inputEnded = true
      connection.receivedEnd()
    }
  }

  private func tapped(_ direction: Direction, _ octets: Span<UInt8>) {
    for tap in taps { tap(direction, octets) }
  }

  private func tappedEnd(_ direction: Direction) {
    let none: [UInt8] = []
    tapped(direction, none.span)
  }

  private func lost(_ fault: StreamFailure, endsInput: Bool = true) {
    switch fault {
    case .system(let error):
      if endsInput {
        tappedEnd(.incoming)
        inputEnded = true
      }
      if failure == nil { failure = .broken(error) }
      connection.receivedEnd()
    case .tls(let error):
      // The peer hears why.
      if case .up(let stream) = stream { try? stream.push() }
      fail(.tls(error))
    }
  }

  /// Writes what is due, as far as the socket takes it.
  /// - Returns: whether everything is written.
  @discardableResult
  package func flush(now: Int64) -> Bool {
    if case .inMemory(let loopback) = stream {
      return connection.withOutput(now: now) { span in
        tapped(.outgoing, span)
        loopback.take(span, now: now)
        return span.count
      }
    }
    guard case .up(let stream) = stream else { return false }
    do throws(StreamFailure) {
      let all = try connection.withOutput(now: now) { span throws(StreamFailure) in
        let n = try stream.write(span)
        if !taps.isEmpty && n > 0 { tapped(.outgoing, span.extracting(0..<n)) }
        return n
      }
      try stream.push()
      return all && !stream.wantsWrite
    } catch {
      // After a failed write there may still be something to read.
      lost(error, endsInput: false)
      return false
    }
  }

  /// Ends the stream.
  package func drop() {
    if case .up(let stream) = stream {
      tappedEnd(.outgoing)
      stream.endWriting()
    }
    stream = .gone
  }

  private func fail(_ reason: Failure) {
    failure = reason
    if case .up = stream { tappedEnd(.outgoing) }
    stream = .gone
  }

  /// Adds what this peer waits for.
  package func register(_ polls: inout PollSet, reads: Bool = true) {
    token = nil
    switch stream {
    case .connecting(let attempt):
      if let interest = attempt.interest {
        token = polls.add(interest.number, read: interest.read, write: interest.write)
      }
    case .up(let stream):
      token = polls.add(stream.number, read: reads && !inputEnded, write: stream.wantsWrite)
    case .inMemory, .gone: break
    }
  }

  /// The next moment at which something has to happen though nothing comes.
  package var deadline: Int64? {
    var at: Int64?
    switch stream {
    case .connecting(let attempt): at = attempt.deadline
    case .up: at = connection.deadline
    case .inMemory: return 0
    case .gone: return nil
    }
    return [at, connectDeadline].compactMap { $0 }.min()
  }
}
