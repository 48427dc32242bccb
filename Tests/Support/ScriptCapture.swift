// Captures that command scripts write by hand: `$ capture FILE STEP…`.
//
//     C:HEX  S:HEX   the client, the server sends these octets, as a segment of their own
//     C!HEX  S!HEX   the same, and the segment is lost
//     C~HEX  S~HEX   the same, and it comes behind the next one
//     C*HEX  S*HEX   the same, and it comes twice
//     C^HEX  S^HEX   the same, together with the four octets in front of it once more
//     port=N         the server's, instead of 5672
//     @NAME          everything from here on is on a connection of its own, made when it is first named
//     +MS            so many milliseconds pass; a segment takes a tenth of one
//     mid            the connections' first packets are not in the capture
//     end            both sides end
//
// The first packet is of 12:00:01 on a day in 2026. A file called .pcapng is one.

enum ScriptCapture {
  private struct Connection {
    let client: TestEndpoint
    let server: TestEndpoint
    var sequence: [UInt32] = [1000, 5000]

    /// The last octets of each side.
    var tails: [[UInt8]] = [[], []]

    init(_ number: Int, port: UInt16) {
      client = TestEndpoint([10, 0, 0, 5], 41_022 + UInt16(number))
      server = TestEndpoint([10, 0, 0, 9], port)
    }
  }

  static func octets(_ name: String, _ steps: [String]) throws -> [UInt8] {
    var connections: [String: Connection] = [:]
    var current = ""
    var time: UInt64 = 1_792_065_601_000_000_000
    var isMid = false
    var port: UInt16 = 5_672
    var packets: [TestPacket] = []
    var late: TestPacket?

    func send(_ side: Int, _ flags: String, _ payload: [UInt8], _ mark: Character = ":") {
      if connections[current] == nil {
        connections[current] = Connection(connections.count, port: port)
        if !isMid {
          send(0, "S", [])
          send(1, "SA", [])
        }
      }
      guard var connection = connections[current] else { return }
      let (from, to) = side == 0 ? (connection.client, connection.server) : (connection.server, connection.client)
      let again = mark == "^" ? Array(connection.tails[side].suffix(4)) : []
      let segment = TestSegment(
        from, to, flags, connection.sequence[side] &- UInt32(again.count),
        ack: flags == "S" ? 0 : connection.sequence[1 - side], again + payload)
      connection.tails[side] = payload
      let counts = UInt32(payload.count) + (flags.contains("S") || flags.contains("F") ? 1 : 0)
      connection.sequence[side] &+= counts
      connections[current] = connection
      let packet = TestPacket(TestLink.ethernet.frame(segment.ip), time: time)
      time += 100_000
      switch mark {
      case "!": return
      case "~": late = packet
      case "*": packets += [packet, packet]
      default: packets.append(packet)
      }
      if mark != "~", let held = late {
        packets.append(held)
        late = nil
      }
    }

    for step in steps {
      if step == "mid" {
        isMid = true
      } else if step == "end" {
        send(0, "FA", [])
        send(1, "FA", [])
      } else if step.hasPrefix("@") {
        current = String(step.dropFirst())
      } else if step.hasPrefix("+"), let milliseconds = UInt64(step.dropFirst()) {
        time += milliseconds * 1_000_000
      } else if step.hasPrefix("port="), let number = UInt16(step.dropFirst(5)) {
        port = number
      } else if let mark = step.dropFirst().first, ":!~*^".contains(mark), "CS".contains(step.first!) {
        send(step.first == "C" ? 0 : 1, "PA", Support.octets(String(step.dropFirst(2))), mark)
      } else {
        throw ProcessFault("no step of a capture: '\(step)'")
      }
    }
    return name.hasSuffix(".pcapng") ? CaptureWriter.pcapng(packets) : CaptureWriter.pcap(packets)
  }
}
