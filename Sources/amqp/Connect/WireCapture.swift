// `--capture`: the octets of every connection of the run as a pcapng file that Wireshark and `amqp decode` read. They are taken
// where a trace takes them, so TLS is already off; each is written as it passes, so a run that is killed has left what it saw.
import Bytes
import Capture
import Console
import Engine
import Render
import Runtime
import Transport

final class WireCapture {
  private let path: String
  private let file: OutputFile
  private let showSecrets: Bool
  private var packets = ByteQueue()
  /// It can't be written any more, and why.
  private(set) var failure: Failure?

  private init(_ path: String, showSecrets: Bool) throws(Failure) {
    (self.path, self.showSecrets) = (path, showSecrets)
    do throws(Errno) {
      file = try OutputFile(creating: path)
    } catch {
      throw Failure("cannot write the capture \(path)", error.text, exitCode: .cannotWrite)
    }
    PcapngWriter.begin(application: "amqp \(Commands.program.version)", to: &packets)
    write()
    if let failure { throw failure }
  }

  /// As the options say; nil: no capture.
  static func open(_ arguments: ParsedArguments) throws(Failure) -> WireCapture? {
    guard let path = arguments.value("capture") else { return nil }
    return try WireCapture(path, showSecrets: arguments.flag("show-secrets"))
  }

  /// Takes all that passes on the peer's connection, from its beginning to its end.
  func attach(to peer: Peer) {
    peer.taps.append(tap(isDialled: peer.isDialled) { [unowned peer] in peer.addresses })
  }

  typealias Ends = (local: SocketAddress?, remote: SocketAddress?)

  /// Takes the octets of one connection; `ends` is asked when its first ones pass.
  func tap(isDialled: Bool, _ ends: @escaping () -> Ends) -> (Peer.Direction, Span<UInt8>) -> Void {
    let conversation = Conversation(isDialled: isDialled, ends)
    return { [self] direction, octets in take(conversation, direction == .outgoing ? .local : .remote, octets) }
  }

  /// One connection, from when its first octets pass.
  private final class Conversation {
    let isDialled: Bool
    let ends: () -> Ends
    var packets: PacketMaker?
    var outgoing = SecretMask()
    var incoming = SecretMask()

    init(isDialled: Bool, _ ends: @escaping () -> Ends) { (self.isDialled, self.ends) = (isDialled, ends) }
  }

  private func take(_ conversation: Conversation, _ side: PacketMaker.Side, _ octets: Span<UInt8>) {
    guard failure == nil else { return }
    let time = Clock.wall
    if conversation.packets == nil {
      guard !octets.isEmpty else { return }
      conversation.packets = begin(conversation, time)
    }
    if showSecrets {
      conversation.packets?.data(side, octets, time: time, to: &packets)
    } else {
      var seen = ByteQueue()
      if side == .local {
        WireCapture.pass(octets, &conversation.outgoing, to: &seen)
      } else {
        WireCapture.pass(octets, &conversation.incoming, to: &seen)
      }
      seen.withReadable { conversation.packets?.data(side, $0, time: time, to: &packets) }
    }
    if octets.isEmpty { conversation.packets?.end(side, time: time, to: &packets) }
    write()
  }

  private static func pass(_ octets: Span<UInt8>, _ mask: inout SecretMask, to q: inout ByteQueue) {
    if octets.isEmpty { mask.finish(to: &q) } else { mask.pass(octets, to: &q) }
  }

  private func begin(_ conversation: Conversation, _ time: Int64) -> PacketMaker {
    let ends = conversation.ends()
    func address(_ address: SocketAddress?) -> PacketMaker.Address {
      guard let octets = address?.octets, let port = address?.endpoint.port else {
        return .init([0, 0, 0, 0], port: 0)
      }
      return .init(octets, port: port)
    }
    var (local, remote) = (address(ends.local), address(ends.remote))
    // One of them is gone already: both have to be of one kind.
    if local.octets.count != remote.octets.count {
      let size = max(local.octets.count, remote.octets.count)
      func widened(_ a: PacketMaker.Address) -> PacketMaker.Address {
        a.octets.count == size ? a : .init([UInt8](repeating: 0, count: size), port: a.port)
      }
      (local, remote) = (widened(local), widened(remote))
    }
    return PacketMaker(
      local: local, remote: remote, dialled: conversation.isDialled ? .local : .remote, time: time, to: &packets)
  }

  /// All there is, waiting where the file is a pipe that is full: a capture with holes helps nobody.
  private func write() {
    var polls = PollSet()
    while failure == nil && !packets.isEmpty {
      do throws(Errno) {
        switch try packets.withReadable({ span throws(Errno) in try file.write(span) }) {
        case .bytes(let n): packets.consume(n)
        case .wouldBlock:
          polls.removeAll()
          _ = polls.add(file.number, write: true)
          try polls.wait(now: 0, until: nil)
        case .end: fail("nobody reads it any more")
        }
      } catch {
        fail(error.text)
      }
    }
    packets.release(above: 1 << 20)
  }

  private func fail(_ why: String) {
    failure = Failure("cannot write the capture \(path)", why, exitCode: .cannotWrite)
    packets.removeAll()
  }
}
