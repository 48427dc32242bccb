import Testing

@testable import Transport

@Suite struct EndpointTests {
  @Test(arguments: [
    ("5672", "127.0.0.1:5672"), ("0", "127.0.0.1:0"), ("0.0.0.0:5672", "0.0.0.0:5672"), ("[::1]:65535", "[::1]:65535"),
    ("example.com:5671", "example.com:5671"),
  ])
  func listening(text: String, shown: String) {
    #expect(Endpoint(listening: text)?.description == shown)
  }

  @Test(arguments: ["", ":", ":5672", "host:", "65536", "-1", "+1", "::1:5672", "[]:5672", "host:5672x", "amqp"])
  func notListening(text: String) {
    #expect(Endpoint(listening: text) == nil)
  }

  @Test(arguments: [("127.0.0.1", "127.0.0.1:7"), ("::1", "[::1]:7"), ("2001:DB8:0::1", "[2001:db8::1]:7")])
  func numeric(host: String, shown: String) {
    #expect(SocketAddress(numeric: host, port: 7)?.description == shown)
  }

  @Test(arguments: ["localhost", "127.1", "256.0.0.1", "", ":::"])
  func notNumeric(host: String) {
    #expect(SocketAddress(numeric: host, port: 7) == nil)
  }
}

@Suite struct ResolverTests {
  @Test func localhostIsTheLoopbackWithoutAsking() {
    let addresses = Resolver.immediate(Endpoint(host: "LocalHost", port: 5672))
    #expect(addresses?.map(\.description) == ["127.0.0.1:5672", "[::1]:5672"])
    #expect(Resolver.immediate(Endpoint(host: "example.com", port: 5672)) == nil)
  }

  /// Not numeric to us, but to the system: an answer that needs no name server.
  @Test func theSystemAnswersOnAnotherThread() throws {
    let resolution = try Resolution(of: Endpoint(host: "127.1", port: 5672))
    try wait(resolution.number, read: true)
    #expect(try resolution.take()?.get().map(\.description) == ["127.0.0.1:5672"])
  }

  @Test func aNameThatDoesNotExist() throws {
    let resolution = try Resolution(of: Endpoint(host: "no-such-host.invalid", port: 5672))
    try wait(resolution.number, read: true)
    guard case .failure(let error) = resolution.take() else {
      Issue.record("\(String(describing: resolution.take()))")
      return
    }
    // Without a name server nobody can tell that it does not exist.
    #expect([.notFound, .temporary].contains(error.reason))
    #expect(error.description.hasPrefix("no-such-host.invalid: "))
  }

  @Test func anUnwantedAnswerHarmsNobody() throws {
    for _ in 0..<20 { _ = try Resolution(of: Endpoint(host: "127.1", port: 1)) }
  }
}
