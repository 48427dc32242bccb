// What only Azure's event hubs have, against a scripted peer: the partitions of a hub, and places as selectors.
import Bytes
import Engine
import Runtime
import Support
import Testing
import Wire

@testable import amqp

@Suite struct EventHubTests {
  private final class Asking {
    var partitions = Partitions(of: "hub")
  }

  /// Asked and attached on both links; the request has credit.
  private func asked() throws -> (ScriptedPeer, Asking, request: [UInt8]) {
    var settings = ConnectionSettings(.initiator)
    settings.mechanisms = []
    let peer = ScriptedPeer(settings)
    let asking = Asking()
    peer.end.react = { end, event in
      _ = asking.partitions.take(event, &end.connection)
      asking.partitions.advance(&end.connection)
    }
    asking.partitions.begin(&peer.end.connection)
    try peer.openUp()
    try peer.map()
    let answers = try peer.link()
    #expect(answers.role == .receiver && answers.source?.address.text == "$management")
    let requests = try peer.link()
    #expect(requests.role == .sender && requests.target?.address.text == "$management")
    peer.send(Flow(handle: 1, credit: 10, count: 0))
    asking.partitions.advance(&peer.end.connection)
    while let frame = try peer.next() {
      if frame.record?.code == Code.transfer { return (peer, asking, frame.payload) }
    }
    throw ScriptError(description: "no request")
  }

  private func answer(_ properties: [MapEntry], _ body: Value) -> [UInt8] {
    var draft = MessageDraft()
    draft.applicationProperties = properties
    draft.body = [.value(body)]
    var q = ByteQueue()
    draft.encode(into: &q)
    return q.bytes
  }

  @Test func partitionsAreAskedFor() throws {
    let (peer, asking, request) = try asked()
    var reader = FieldReader()
    for text in ["header.operation=READ", "header.name=hub", "header.type=com.microsoft:eventhub", "reply-to"] {
      #expect(try MatchExpression(text).holds(request.span, address: "", &reader), "\(text)")
    }
    let ids = Value.array(ArrayValue(.string, [.string("0"), .string("1"), .string("7")]))
    peer.send(
      Transfer(handle: 0, id: ScriptedPeer.firstID),
      payload: answer(
        [MapEntry(.string("status-code"), .int(200))], .map([MapEntry(.string("partition_ids"), ids)])))
    #expect(asking.partitions.names == ["0", "1", "7"])
    var detached = 0
    while let frame = try peer.next() { if frame.record?.code == Code.detach { detached += 1 } }
    #expect(detached == 2, "both links are taken down")
  }

  @Test(arguments: [
    (404, "amqp:not-found"), (401, "amqp:unauthorized-access"), (500, "amqp:internal-error"),
    (200, "amqp:internal-error"),
  ]) func refusals(_ status: Int32, _ condition: String) throws {
    let (peer, asking, _) = try asked()
    peer.send(
      Transfer(handle: 0, id: ScriptedPeer.firstID),
      payload: answer(
        [MapEntry(.string("statusCode"), .int(status)), MapEntry(.string("statusDescription"), .string("why"))], .null))
    #expect(asking.partitions.refusal == AMQPError(condition, "why"))
  }

  @Test func theNodeIsRefused() throws {
    let (peer, asking, _) = try asked()
    peer.send(Detach(handle: 1, AMQPError("amqp:not-found", "no node")))
    #expect(asking.partitions.loss?.error?.condition == "amqp:not-found")
  }

  @Test func placesAreSelectors() throws {
    #expect(EventHub.selector("first") == "amqp.annotation.x-opt-offset > '-1'")
    #expect(EventHub.selector("next") == "amqp.annotation.x-opt-offset > '@latest'")
    #expect(EventHub.selector("17") == "amqp.annotation.x-opt-offset >= '17'")
    #expect(EventHub.selector("2020-01-01T00:00:00Z") == "amqp.annotation.x-opt-enqueued-time >= '1577836800000'")
    #expect(EventHub.selector("10m")?.hasPrefix("amqp.annotation.x-opt-enqueued-time >= '1") == true)
    #expect(EventHub.selector("soon") == nil)
    #expect(EventHub.isPartition("hub/ConsumerGroups/$Default/Partitions/0") && !EventHub.isPartition("hub"))
  }
}
