import Glibc
import Testing

@testable import Transport

@Suite struct SocketTests {
  /// Drives an attempt as the loop does.
  private func connect(_ attempt: ConnectAttempt) throws -> Socket {
    while true {
      if let socket = try attempt.advance(now: Clock.now) { return socket }
      let interest = try #require(attempt.interest)
      try wait(interest.number, read: interest.read, write: interest.write)
    }
  }

  private func accept(_ listener: ListeningSocket) throws -> Socket {
    try wait(listener.number, read: true)
    return try #require(try listener.accept())
  }

  @Test(arguments: ["127.0.0.1", "localhost", "127.1"])
  func bytesBothWaysAndAnOrderlyClose(host: String) throws {
    let listener = try ListeningSocket(on: #require(Endpoint(listening: "0")))
    #expect(listener.endpoint.port != 0)
    #expect(try listener.accept() == nil)
    let near = try connect(ConnectAttempt(to: Endpoint(host: host, port: listener.endpoint.port)))
    let far = try accept(listener)
    #expect(near.peerAddress?.endpoint == listener.endpoint)
    #expect(near.localAddress?.endpoint == far.peerAddress?.endpoint)

    #expect(try readOnce(far.read(into:)).progress == .wouldBlock)
    #expect(try near.write([1, 2, 3].span) == .bytes(3))
    try wait(far.number, read: true)
    #expect(try readOnce(far.read(into:)) == (.bytes(3), [1, 2, 3]))

    #expect(try far.write([4].span) == .bytes(1))
    near.endWriting()
    try wait(far.number, read: true)
    #expect(try readOnce(far.read(into:)).progress == .end)
    far.endWriting()
    #expect(try readToEnd(near.number, near.read(into:)) == [4])
  }

  @Test func flags() throws {
    let listener = try ListeningSocket(on: #require(Endpoint(listening: "0")))
    let near = try connect(ConnectAttempt(to: listener.endpoint))
    let far = try accept(listener)
    for number in [listener.number, near.number, far.number] {
      #expect(statusFlags(number) & O_NONBLOCK != 0)
      #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
    }
    for number in [near.number, far.number] {
      var value: Int32 = 0
      var length = socklen_t(4)
      getsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &value, &length)
      #expect(value == 1)
    }
  }

  @Test func aPortWithoutListenerRefuses() throws {
    let endpoint = try ListeningSocket(on: #require(Endpoint(listening: "0"))).endpoint
    #expect(code { _ = try connect(ConnectAttempt(to: endpoint)) } == ECONNREFUSED)
    let byName = ConnectAttempt(to: Endpoint(host: "localhost", port: endpoint.port))
    do {
      _ = try connect(byName)
      Issue.record("connected to nobody")
    } catch let error as EndpointError {
      #expect(error.description == "localhost:\(endpoint.port): connection refused")
      guard case .addresses(let tried) = error.cause else { return }
      #expect(tried.count == 2)
    }
    #expect(byName.interest == nil)
  }

  @Test func aNameThatDoesNotExistIsNotConnectedTo() throws {
    do {
      _ = try connect(ConnectAttempt(to: Endpoint(host: "no-such-host.invalid", port: 1)))
      Issue.record("connected to nobody")
    } catch let error as EndpointError {
      guard case .name = error.cause else {
        Issue.record("\(error)")
        return
      }
    }
  }

  @Test func theNextAddressIsTriedWhenOneRefuses() throws {
    let dead = try ListeningSocket(on: #require(Endpoint(listening: "0"))).endpoint
    let listener = try ListeningSocket(on: #require(Endpoint(listening: "0")))
    let addresses = try [dead, listener.endpoint].map { try #require(SocketAddress(numeric: $0.host, port: $0.port)) }
    let socket = try connect(ConnectAttempt(to: dead, addresses: addresses))
    #expect(socket.peerAddress?.endpoint == listener.endpoint)
  }

  /// A listener whose queue is full drops what comes in, as a firewall does.
  @Test func theNextAddressIsTriedWhenOneIsSilent() throws {
    let full = try #require(SocketAddress(numeric: "127.0.0.1", port: 0))
    let listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listening) }
    #expect(full.withPointer { bind(listening, $0, full.length) } == 0)
    #expect(listen(listening, 0) == 0)
    let silent = try #require(SocketAddress { getsockname(listening, $0, $1) })
    let fillers = (0..<4).map { _ in ConnectAttempt(to: silent.endpoint, addresses: [silent]) }
    for filler in fillers { _ = try filler.advance(now: 0) }

    let live = try ListeningSocket(on: #require(Endpoint(listening: "0")))
    let liveAddress = try #require(SocketAddress(numeric: "127.0.0.1", port: live.endpoint.port))
    let attempt = ConnectAttempt(to: silent.endpoint, addresses: [silent, liveAddress])
    #expect(try attempt.advance(now: 5) == nil)
    #expect(attempt.deadline == 2_000_000_005)
    #expect(try attempt.advance(now: 2_000_000_004) == nil)
    #expect(attempt.deadline == 2_000_000_005)
    if let socket = try attempt.advance(now: 2_000_000_005) {
      #expect(socket.peerAddress?.endpoint == live.endpoint)
    } else {
      #expect(attempt.deadline == nil)
      #expect(try connect(attempt).peerAddress?.endpoint == live.endpoint)
    }
  }

  @Test func aSocketConnectedToItselfIsNoConnection() throws {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let own = try #require(SocketAddress(numeric: "127.0.0.1", port: 0))
    #expect(own.withPointer { bind(number, $0, own.length) } == 0)
    let bound = try #require(SocketAddress { getsockname(number, $0, $1) })
    #expect(bound.withPointer { Glibc.connect(number, $0, bound.length) } == 0)
    #expect(Socket(owning: Descriptor(owning: number)).isConnectedToItself)
    #expect(try !Socket.pair().0.isConnectedToItself)
  }

  @Test func aPortInUse() throws {
    let first = try ListeningSocket(on: #require(Endpoint(listening: "0")))
    do {
      _ = try ListeningSocket(on: first.endpoint)
      Issue.record("two listen on \(first.endpoint)")
    } catch {
      #expect(error.description == "\(first.endpoint): address already in use")
    }
  }

  /// In a process of its own, whose descriptors can all be used up.
  @Test func noDescriptorIsLeft() async {
    await #expect(processExitsWith: .success) {
      let listener = try ListeningSocket(on: Endpoint(host: "127.0.0.1", port: 0))
      let attempt = ConnectAttempt(to: listener.endpoint)
      let early = try attempt.advance(now: 0)
      try wait(listener.number, read: true)
      var limit = rlimit(rlim_cur: 0, rlim_max: 0)
      guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { exit(1) }
      guard code({ _ = try listener.accept() }) == EMFILE else { exit(2) }
      withExtendedLifetime(early) {}
    }
  }

  @Test func aFullSocketTakesNoMoreAndABrokenOneEnds() throws {
    let (near, far) = try Socket.pair()
    let chunk = [UInt8](repeating: 7, count: 262_144)
    var sent = 0
    while case .bytes(let count) = try near.write(chunk.span) { sent += count }
    #expect(sent > 0)
    var received = 0
    while case .bytes(let count) = try readOnce(far.read(into:)).progress { received += count }
    #expect(received == sent)

    // The other side closes: no SIGPIPE, and what it sent can still be read.
    let left = try halfAlone(sending: [9])
    #expect(try left.write(chunk.span) == .end)
    #expect(try readOnce(left.read(into:)) == (.bytes(1), [9]))
  }

  /// One end of a pair whose other end has sent `bytes` and closed.
  private func halfAlone(sending bytes: [UInt8]) throws -> Socket {
    let (left, right) = try Socket.pair()
    #expect(try right.write(bytes.span) == .bytes(bytes.count))
    return left
  }

  @Test func inputIsDiscardedUntilTheEnd() throws {
    let (near, far) = try Socket.pair()
    #expect(try near.discardInput() == .wouldBlock)
    #expect(try far.write([UInt8](repeating: 1, count: 20_000).span) == .bytes(20_000))
    far.endWriting()
    #expect(try near.discardInput() == .bytes(16_384))
    #expect(try near.discardInput() == .bytes(3_616))
    #expect(try near.discardInput() == .end)
  }

  @Test func aResetIsAnError() throws {
    let listener = try ListeningSocket(on: #require(Endpoint(listening: "0")))
    let near = try connect(ConnectAttempt(to: listener.endpoint))
    do {
      let far = try accept(listener)
      far.resetOnClose()
    }
    try wait(near.number, read: true)
    #expect(code { _ = try readOnce(near.read(into:)) } == ECONNRESET)
  }

  @Test func nothingMovesThroughAFullOrEmptySpan() throws {
    let (near, far) = try Socket.pair()
    #expect(try far.write([1].span) == .bytes(1))
    var none = OutputRawSpan()
    #expect(try near.read(into: &none) == .bytes(0))
    #expect(try near.write([UInt8]().span) == .bytes(0))
  }
}
