// Our ends and Proton's: its C examples (which speak without SASL) and its Python library, both roles each.
import Foundation
import Testing

@Suite(.needs(.proton)) struct ProtonTests {
  func proton(_ program: String, _ arguments: String...) throws -> Program {
    try Program("\(RealPeer.proton.value)/\(program)", arguments)
  }

  func freePort() throws -> String {
    let (program, port) = try Amqp.listen("receive")
    program.signal(SIGINT)
    _ = try program.finish()
    return port
  }

  @Test func itSendsToOurListener() throws {
    let (receiver, port) = try Amqp.listen("receive", "-c", "1000", "-J")
    let sent = try proton("send", "127.0.0.1", port, "examples", "1000").finish()
    #expect(sent.status == 0 && sent.text.contains("1000 messages sent and acknowledged"))
    let received = try receiver.finish()
    #expect(received.status == 0 && received.lines.count == 1_000)
    #expect(received.lines.last?.contains(#""body":{"value":{"map":[["sequence",{"int":1000}]]}}"#) == true)
  }

  @Test func itReceivesFromOurListener() throws {
    let (sender, port) = try Amqp.listen("send", "-l", "--body-as", "string", input: .lines(1...500))
    let received = try proton("receive", "127.0.0.1", port, "examples", "500").finish()
    #expect(received.status == 0 && received.text.contains("500 messages received"))
    #expect(received.text.contains("\"1\"\n") && received.text.contains("\"500\"\n"))
    #expect(try sender.finish().status == 0)
  }

  @Test func weSendToItsListener() throws {
    let port = try freePort()
    let direct = try proton("direct", "127.0.0.1", port, "examples", "300")
    _ = try direct.rest(after: "listening on ")
    let sent = try Amqp.run(
      "send", "-u", "amqp://127.0.0.1:\(port)", "examples", "-l", "--body-as", "string", input: .lines(1...300))
    #expect(sent.status == 0, "\(sent.errors)")
    let received = try direct.finish()
    #expect(received.status == 0 && received.text.contains("300 messages received"))
  }

  @Test(arguments: [[], ["--sasl", "NONE"], ["--sasl", "ANONYMOUS"]]) func itsBrokerStandsBetween(_ sasl: [String])
    throws
  {
    let port = try freePort()
    let broker = try proton("broker", "127.0.0.1", port)
    _ = try broker.rest(after: "listening on ")
    let url = "amqp://127.0.0.1:\(port)"
    let sent = try Program(
      Amqp.path, ["send", "-u", url, "node", "-l"] + sasl, input: .lines(1...1_000)
    ).finish()
    #expect(sent.status == 0, "\(sent.errors)")
    let received = try Program(Amqp.path, ["receive", "-u", url, "node", "-c", "1000"] + sasl).finish()
    #expect(received.status == 0 && received.lines == (1...1_000).map { "\($0)" }, "\(received.errors)")
  }
}

@Suite(.needs(.protonPython)) struct ProtonPythonTests {
  /// Runs a handler of Proton's Python library; `sys.argv[1]` is the port.
  func python(_ script: String, _ arguments: String...) throws -> Program {
    let head = """
      import sys, uuid
      from proton import *
      from proton.handlers import MessagingHandler
      from proton.reactor import *

      """
    return try Program(try RealPeer.protonPython.value, ["-c", head + script] + arguments)
  }

  /// A peer that listens on a port of its own and prints it.
  static let listening = """
    class Listens(MessagingHandler):
        def on_start(self, event):
            self.acceptor = event.container.listen("127.0.0.1:0")
            print("port", self.acceptor._selectable._delegate.getsockname()[1])

    """

  static let everyType = #"""
    [("null", None), ("boolean", True), ("ubyte", ubyte(200)), ("ushort", ushort(60000)), ("uint", uint(4000000000)),
     ("ulong", ulong(2**64 - 1)), ("byte", byte(-100)), ("short", short(-30000)), ("int", int32(-2**31)), ("long", -2**63),
     ("float", float32(1.5)), ("double", -0.1), ("char", char("é")), ("timestamp", timestamp(-1)),
     ("uuid", uuid.UUID("12345678-1234-5678-1234-567812345678")), ("binary", b"\x00\xff"), ("string", "grüße"),
     ("symbol", symbol("a-symbol")), ("decimal32", decimal32(0x32800001)), ("decimal64", decimal64(0x31c0000000000001)),
     ("decimal128", decimal128(b"\x30\x40" + b"\x00" * 13 + b"\x01"))]
    """#

  @Test func everyTypeGoesBothWays() throws {
    let (receiver, port) = try Amqp.listen("receive", "-c", "1", "-J")
    let first = try python(
      """
      entries = dict(\(Self.everyType))
      class Sends(MessagingHandler):
          def on_start(self, event):
              event.container.create_sender(event.container.connect("127.0.0.1:" + sys.argv[1]), "node")
          def on_sendable(self, event):
              if event.sender.queued or self.__dict__.get("done"): return
              self.done = True
              event.sender.send(Message(body=entries, properties=entries, annotations={symbol(k): v for k, v in entries.items()}))
          def on_accepted(self, event):
              event.connection.close()
      Container(Sends()).run()
      """, port)
    #expect(try first.finish().status == 0, "\(first.errorsSoFar)")
    let json = try receiver.finish()
    #expect(json.status == 0, "\(json.errors)")
    // And back, with what we printed as our input.
    let (sender, back) = try Amqp.listen("send", "-J", input: .octets(json.output))
    let second = try python(
      """
      entries = dict(\(Self.everyType))
      class Receives(MessagingHandler):
          def on_start(self, event):
              event.container.create_receiver(event.container.connect("127.0.0.1:" + sys.argv[1]), "node")
          def on_message(self, event):
              m = event.message
              for name, found in (("body", m.body), ("properties", m.properties), ("annotations", m.annotations)):
                  for key, value in entries.items():
                      if found[key] != value or type(found[key]) != type(value):
                          print("DIFFERENT", name, key, repr(found[key]), repr(value))
                  if len(found) != len(entries): print("DIFFERENT", name, sorted(found))
              print("compared")
              event.connection.close()
      Container(Receives()).run()
      """, back)
    let compared = try second.finish()
    #expect(compared.text == "compared\n", "\(compared.text) \(compared.errors)")
    #expect(try sender.finish().status == 0)
  }

  @Test(arguments: [
    ("accepted", 0, ""), ("rejected", 3, "rejected (test:no: because)"), ("released", 3, "released"),
    ("modified", 3, "modified (delivery failed, undeliverable here)"),
  ]) func itsOutcomesBecomeReceipts(_ outcome: String, _ status: Int, _ words: String) throws {
    let peer = try python(
      Self.listening + """
        class Answers(Listens):
            def __init__(self): super().__init__(auto_accept=False)
            def on_message(self, event):
                d, outcome = event.delivery, sys.argv[1]
                if outcome == "rejected": d.local.condition = Condition("test:no", "because")
                if outcome == "modified": d.local.failed = True; d.local.undeliverable = True
                d.update(getattr(Disposition, outcome.upper()))
                d.settle()
            def on_connection_closing(self, event): event.connection.close(); self.acceptor.close()
        Container(Answers()).run()
        """, outcome)
    let port = try peer.rest(after: "port ")
    let sent = try Amqp.run("send", "-u", "amqp://127.0.0.1:\(port)", "node", "x")
    #expect(sent.status == status, "\(sent.errors)")
    #expect(words == "" ? sent.errors == "" : sent.errors.contains(words), "\(sent.errors)")
    #expect(try peer.finish().status == 0, "\(peer.errorsSoFar)")
  }

  @Test(arguments: [
    ("accept", "accepted"), ("reject", "rejected"), ("release", "released"), ("none", "released"),
    ("modify:failed,undeliverable,why=test", "modified True True {symbol('why'): 'test'}"),
  ]) func ourOutcomesReachIt(_ settle: String, _ expected: String) throws {
    let peer = try python(
      Self.listening + """
        class Offers(Listens):
            def on_sendable(self, event):
                if not self.__dict__.get("done"):
                    self.done = True
                    event.sender.send(Message(body="x"))
            def on_delivery(self, event):
                r = event.delivery.remote
                if not event.delivery.updated: return
                if event.delivery.remote_state == Disposition.MODIFIED:
                    print("modified", r.failed, r.undeliverable, r.annotations)
                else: print(str(event.delivery.remote_state).lower().split(".")[-1])
                event.delivery.settle()
            def on_connection_closing(self, event): event.connection.close(); self.acceptor.close()
        Container(Offers(auto_settle=False)).run()
        """)
    let port = try peer.rest(after: "port ")
    let run = try Amqp.run(
      "receive", "-u", "amqp://127.0.0.1:\(port)", "node", "-c", "1", "-t", "10s", "--settle", settle)
    #expect(run.status == 0, "\(run.errors)")
    let heard = try peer.finish()
    #expect(heard.lines.dropFirst().first == expected, "\(heard.text) \(heard.errors)")
  }

  @Test(arguments: ["at-most-once", "at-least-once", "exactly-once"]) func modesAreWhatItSees(_ mode: String) throws {
    let peer = try python(
      Self.listening + """
        class Looks(Listens):
            def on_link_opening(self, event):
                event.link.snd_settle_mode = event.link.remote_snd_settle_mode
                event.link.rcv_settle_mode = event.link.remote_rcv_settle_mode
                print("modes", event.link.remote_snd_settle_mode, event.link.remote_rcv_settle_mode)
            def on_message(self, event):
                print("settled", event.delivery.settled, len(event.message.body))
            def on_settled(self, event): print("sender settled")
            def on_connection_closing(self, event): event.connection.close(); self.acceptor.close()
        Container(Looks()).run()
        """)
    let port = try peer.rest(after: "port ")
    let sent = try Amqp.run(
      "send", "-u", "amqp://127.0.0.1:\(port)", "node", "--mode", mode, input: .octets(noise(3_000_000)))
    #expect(sent.status == 0, "\(sent.errors)")
    let seen = try peer.finish()
    let modes = ["at-most-once": "modes 1 0", "at-least-once": "modes 0 0", "exactly-once": "modes 0 1"][mode]
    #expect(seen.lines.contains(modes ?? ""), "\(seen.text) \(seen.errors)")
    #expect(seen.lines.contains("settled \(mode == "at-most-once" ? "True" : "False") 3000000"), "\(seen.text)")
  }

  @Test func aRefusedLinkIsExplained() throws {
    let peer = try python(
      Self.listening + """
        class Refuses(Listens):
            def on_link_local_open(self, event):
                event.link.condition = Condition("amqp:not-found", "no such thing")
                event.link.close()
            def on_connection_closing(self, event): event.connection.close(); self.acceptor.close()
        Container(Refuses(prefetch=0)).run()
        """)
    let port = try peer.rest(after: "port ")
    let sent = try Amqp.run("send", "-u", "amqp://127.0.0.1:\(port)", "node", "x")
    #expect(sent.status == 67 && sent.errors.contains("no such thing"), "\(sent.status) \(sent.errors)")
  }

  @Test func itDrainsOurSender() throws {
    let (sender, port) = try Amqp.listen("send", "-l", input: .lines(1...3))
    let peer = try python(
      """
      class Drains(MessagingHandler):
          def __init__(self):
              super().__init__(prefetch=0)
              self.got = 0
          def on_start(self, event):
              self.receiver = event.container.create_receiver(event.container.connect("127.0.0.1:" + sys.argv[1]), "node")
          def on_link_opened(self, event):
              self.receiver.drain(10)
          def on_message(self, event):
              self.got += 1
          def on_link_flow(self, event):
              if not self.receiver.draining() and self.got == 3: event.connection.close()
          def on_settled(self, event): pass
          def on_connection_closed(self, event): print("got", self.got, "credit", self.receiver.credit)
      Container(Drains()).run()
      """, port)
    #expect(try sender.finish().status == 0)
    let seen = try peer.finish()
    #expect(seen.text.hasPrefix("got 3"), "\(seen.text) \(seen.errors)")
  }

  @Test func weDrainIt() throws {
    let peer = try python(
      Self.listening + """
        class Offers(Listens):
            left = 5
            def on_link_flow(self, event):
                while event.link.credit and self.left:
                    self.left -= 1
                    event.link.send(Message(body=str(self.left)))
                event.link.drained()
            def on_connection_closing(self, event): event.connection.close(); self.acceptor.close()
        Container(Offers()).run()
        """)
    let port = try peer.rest(after: "port ")
    let run = try Amqp.run("receive", "-u", "amqp://127.0.0.1:\(port)", "node", "--drain")
    #expect(run.status == 0 && run.lines == ["4", "3", "2", "1", "0"], "\(run.text) \(run.errors)")
  }

  @Test func plainIsCheckedByOurListener() throws {
    let script = """
      class Sends(MessagingHandler):
          def on_start(self, event):
              c = event.container.connect("127.0.0.1:" + sys.argv[1], user="me", password=sys.argv[2],
                  allowed_mechs="PLAIN", allow_insecure_mechs=True, reconnect=False)
              event.container.create_sender(c, "node")
          def on_sendable(self, event):
              if event.sender.delivery_tag_generator if False else self.__dict__.get("done"): return
              self.done = True
              event.sender.send(Message(body="x"))
          def on_accepted(self, event): print("accepted"); event.connection.close()
          def on_transport_error(self, event): print("refused", event.transport.condition.name)
      Container(Sends()).run()
      """
    let receiver = try Program(
      Amqp.path, ["receive", "--listen", "0", "--user", "me", "-c", "1"], environment: ["AMQP_PASSWORD": "right"])
    let place = try receiver.rest(after: "listening on ")
    let port = String(place.split(separator: ":").last ?? "")
    let wrong = try python(script, port, "wrong").finish()
    #expect(wrong.text.hasPrefix("refused amqp:unauthorized-access"), "\(wrong.text) \(wrong.errors)")
    let right = try python(script, port, "right").finish()
    #expect(right.text == "accepted\n", "\(right.text) \(right.errors)")
    let received = try receiver.finish()
    #expect(received.status == 0 && received.text == "x\n", "\(received.errors)")
  }
}
