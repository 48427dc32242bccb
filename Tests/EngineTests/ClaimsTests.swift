/// Azure's claims-based security as its protocol guide has it: tokens to `$cbs` before links, one answer each, renewal
/// before they expire. The peer is scripted, the clocks are numbers.
import Bytes
import Engine
import Runtime
import Support
import Testing
import Wire

@Suite struct ClaimsTests {
  private let key = SharedAccessKey(name: "RootManageSharedAccessKey", key: "c2VjcmV0IGtleQ==")

  /// Computed by Python: hmac.new(key, quote(resource, '') + '\n' + expiry, sha256), base64, quoted.
  @Test func signature() throws {
    #expect(
      try key.token(for: "amqp://ns.servicebus.windows.net/my queue", until: 1_700_000_000)
        == "SharedAccessSignature sr=amqp%3A%2F%2Fns.servicebus.windows.net%2Fmy%20queue&sig="
        + "rIeqN4zA4mbvZLNL7IIt6ezchc94ujaRUQgWDKm1koI%3D&se=1700000000&skn=RootManageSharedAccessKey")
  }

  /// A run with its two links to `$cbs` up; the peer's next octets are transfers of the run.
  private final class Run {
    let peer: ScriptedPeer
    var claims: ClaimsBasedSecurity
    var taken: [ClaimsBasedSecurity.Taken] = []

    init(_ key: SharedAccessKey, wants addresses: [String]) throws {
      peer = ScriptedPeer(bare(.initiator))
      claims = ClaimsBasedSecurity(
        key, host: "ns.servicebus.windows.net", lifetime: 3_600, patience: 10_000_000_000)
      for address in addresses { claims.want(address) }
      claims.begin(&peer.end.connection)
      peer.end.react = { [unowned self] end, event in
        let news = claims.take(event, &end.connection)
        if news != .nothing && news != .progress { taken.append(news) }
      }
      try peer.openUp()
      try peer.map(window: 1_000)
      let receiver = try peer.link()
      let sender = try peer.link()
      guard receiver.source?.address == .string("$cbs"), sender.target?.address == .string("$cbs"),
        receiver.role == .receiver, sender.role == .sender
      else { throw ScriptError(description: "not the links to $cbs") }
      var flow = Flow()
      (flow.nextIncomingID, flow.incomingWindow, flow.outgoingWindow) = (ScriptedPeer.firstID, 1_000, 1_000)
      flow.nextOutgoingID = ScriptedPeer.firstID
      (flow.handle, flow.deliveryCount, flow.linkCredit) = (1, ScriptedPeer.firstID, 100)
      peer.send(flow)
      while try peer.next() != nil {}
    }

    func advance(_ now: Instant, wall: Int64) {
      let news = claims.advance(&peer.end.connection, now: now, wall: wall)
      if news != .nothing && news != .progress { taken.append(news) }
    }

    /// The request that comes now: its application properties, and the token.
    func request() throws -> (properties: Value, token: String, number: UInt64) {
      let (_, payload) = try peer.expectTransfer()
      var sections = Sections(0..<payload.count)
      var found: (properties: Value, token: String, number: UInt64) = (.null, "", 0)
      while let section = try sections.next(payload.span) {
        let value = try Value.decode(payload.span.extracting(section.value..<section.range.upperBound))
        switch section.code {
        case Code.properties: if case .list(let fields) = value { found.number = fields[0].unsigned ?? 0 }
        case Code.applicationProperties: found.properties = value
        default: found.token = value.text ?? ""
        }
      }
      return found
    }

    private var delivered: UInt32 = 0

    func answer(_ number: UInt64, _ status: Int32, _ words: String? = nil, key: String = "status-code") {
      var q = ByteQueue()
      q.appendSection(Code.properties, fields: [.null, .null, .null, .null, .null, .ulong(number)])
      var entries = [MapEntry(.string(key), .int(status))]
      if let words { entries.append(MapEntry(.string("status-description"), .string(words))) }
      q.appendSection(Code.applicationProperties, .map(entries))
      q.appendSection(Code.amqpValue, .null)
      var transfer = Transfer()
      (transfer.handle, transfer.deliveryID, transfer.deliveryTag) = (
        0, ScriptedPeer.firstID &+ delivered, [UInt8(delivered)]
      )
      delivered += 1
      peer.send(transfer, payload: q.bytes)
    }
  }

  @Test(arguments: [("status-code", Int32(202)), ("statusCode", 200)])
  func aTokenForEachAddress(_ key: String, _ status: Int32) throws {
    let run = try Run(self.key, wants: ["orders", "hub/Partitions/0"])
    #expect(!run.claims.grants("orders"))
    run.advance(0, wall: 1_000)
    let first = try run.request()
    #expect(first.properties["operation"] == .string("put-token"))
    #expect(first.properties["type"] == .string("servicebus.windows.net:sastoken"))
    #expect(first.properties["name"] == .string("amqp://ns.servicebus.windows.net/orders"))
    #expect(first.properties["expiration"] == .timestamp(4_600_000))
    #expect(first.token == (try self.key.token(for: "amqp://ns.servicebus.windows.net/orders", until: 4_600)))
    // One at a time.
    run.advance(0, wall: 1_000)
    try run.peer.expectNothing()
    run.answer(first.number, status, key: key)
    #expect(run.taken == [.granted] && run.claims.grants("orders") && !run.claims.grants("hub/Partitions/0"))
    run.advance(0, wall: 1_000)
    while let frame = try run.peer.next(), frame.record?.code != Code.transfer {}
    run.answer(2, status, key: key)
    #expect(run.taken == [.granted, .granted] && run.claims.grants("hub/Partitions/0"))
  }

  /// A quarter of its life before it expires.
  @Test func renewal() throws {
    let run = try Run(key, wants: ["orders"])
    run.advance(0, wall: 1_000)
    run.answer(try run.request().number, 202)
    while try run.peer.next() != nil {}
    #expect(run.claims.wait(now: 0, wall: 1_000) == 2_700_000_000_000)
    run.advance(1, wall: 3_699)
    try run.peer.expectNothing()
    run.advance(2, wall: 3_700)
    let again = try run.request()
    #expect(again.properties["expiration"] == .timestamp(7_300_000))
    run.answer(again.number, 202)
    // No news: links are up already.
    #expect(run.taken == [.granted] && run.claims.wait(now: 2, wall: 3_700) == 2_700_000_000_000)
  }

  @Test func refusals() throws {
    let run = try Run(key, wants: ["orders"])
    run.advance(0, wall: 1_000)
    run.answer(try run.request().number, 401, "InvalidSignature: The token has an invalid signature.")
    let error = AMQPError(
      Condition.unauthorizedAccess, "InvalidSignature: The token has an invalid signature.", info: .uint(401))
    #expect(run.taken == [.refused(address: "orders", error)])
    // Nothing is asked any more.
    run.advance(1, wall: 1_000)
    #expect(run.claims.wait(now: 1, wall: 1_000) == nil)
  }

  @Test func noAnswer() throws {
    let run = try Run(key, wants: ["orders"])
    run.advance(5, wall: 1_000)
    let number = try run.request().number
    #expect(run.claims.wait(now: 6, wall: 1_000) == 9_999_999_999)
    // Somebody else's.
    run.answer(number + 7, 202)
    #expect(run.taken.isEmpty)
    run.advance(10_000_000_005, wall: 1_010)
    #expect(
      run.taken == [
        .refused(address: "orders", AMQPError(Condition.resourceLimitExceeded, "no answer from $cbs"))
      ])
  }

  @Test func thePeerHasNoSuchNode() throws {
    let run = try Run(key, wants: ["orders"])
    var detach = Detach()
    (detach.handle, detach.closed, detach.error) = (0, true, AMQPError(Condition.notFound, "no node '$cbs'"))
    run.peer.send(detach)
    #expect(run.taken == [.lost(CloseReason(.link, .peer, AMQPError(Condition.notFound, "no node '$cbs'")))])
  }
}
