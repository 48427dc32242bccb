// `--tap`: between clients and a broker, passing octets on as they are and showing what they say. Nothing is kept back but
// what the other side doesn't take yet, and then nothing more is read.
import Bytes
import Capture
import Console
import Transport

/// `--tap [HOST:]PORT=HOST:PORT`
struct TapEndpoints: Equatable {
  var listening: Endpoint
  var target: Endpoint

  init?(_ text: String) {
    guard let equals = text.firstIndex(of: "="), let listening = Endpoint(listening: String(text[..<equals])),
      let target = Endpoint(listening: String(text[text.index(after: equals)...]), defaultHost: "localhost")
    else { return nil }
    (self.listening, self.target) = (listening, target)
  }
}

final class Tap {
  /// A client and its connection with the broker.
  private final class Pair {
    let number: Int
    let client: Socket
    let attempt: ConnectAttempt
    var server: Socket?
    var toServer = Half()
    var toClient = Half()
    var isOver = false
    var isOpened = false

    init(_ number: Int, _ client: Socket, _ target: Endpoint) {
      (self.number, self.client) = (number, client)
      attempt = ConnectAttempt(to: target)
    }
  }

  /// One direction: what is read and not written yet.
  private struct Half {
    var octets = ByteQueue()
    var inputEnded = false
    var outputEnded = false
    var isFull: Bool { octets.count >= Tap.bound }
  }

  private let listener: ListeningSocket
  private let target: Endpoint
  private var pairs: [Pair] = []
  private var opened = 0

  private static let bound = 1 << 18
  private static let piece = 1 << 16

  init(_ ends: TapEndpoints, _ diagnostics: Diagnostics) throws(Failure) {
    listener = try Listening.open(ends.listening, diagnostics)
    target = ends.target
  }

  func turn(now: Int64, _ decoding: Decoding) {
    while let client = try? listener.accept() {
      pairs.append(Pair(opened, client, target))
      opened += 1
    }
    for pair in pairs { turn(pair, now: now, decoding) }
    pairs.removeAll { $0.isOver }
  }

  private func turn(_ pair: Pair, now: Int64, _ decoding: Decoding) {
    if pair.server == nil {
      do throws(EndpointError) {
        pair.server = try pair.attempt.advance(now: now)
      } catch {
        decoding.report(Failure("cannot connect to \(target)", error.text, exitCode: .unreachable))
        pair.isOver = true
        return
      }
    }
    guard let server = pair.server else { return }
    if !pair.isOpened {
      pair.isOpened = true
      decoding.open(
        pair.number,
        StreamDescription(
          source: pair.client.peerAddress.map { "\($0)" } ?? "client", target: "\(target)", startSeen: true))
    }
    pump(pair.client, server, &pair.toServer, .forward, pair.number, decoding)
    pump(server, pair.client, &pair.toClient, .backward, pair.number, decoding)
    if pair.toServer.outputEnded && pair.toClient.outputEnded {
      pair.isOver = true
      decoding.closeTapped(pair.number)
    }
  }

  private func pump(
    _ from: Socket, _ to: Socket, _ half: inout Half, _ direction: Direction, _ number: Int, _ decoding: Decoding
  ) {
    while !half.inputEnded && !half.isFull {
      let start = half.octets.count
      var progress = IOProgress.end
      // A connection that broke has ended, for all that concerns the other side.
      do throws(Errno) {
        try half.octets.fill(room: Tap.piece) { span throws(Errno) in progress = try from.read(into: &span) }
      } catch { progress = .end }
      if half.octets.count > start {
        half.octets.withReadable { decoding.tapped(number, direction, $0.extracting(start..<$0.count)) }
      }
      if case .end = progress { half.inputEnded = true }
      if case .wouldBlock = progress { break }
    }
    while !half.octets.isEmpty && !half.outputEnded {
      var progress = IOProgress.end
      do throws(Errno) {
        progress = try half.octets.withReadable { span throws(Errno) in try to.write(span) }
      } catch { progress = .end }
      switch progress {
      case .bytes(let n): half.octets.consume(n)
      case .wouldBlock: return
      case .end:
        half.octets.removeAll()
        (half.inputEnded, half.outputEnded) = (true, true)
      }
    }
    if half.inputEnded && half.octets.isEmpty && !half.outputEnded {
      half.outputEnded = true
      to.endWriting()
    }
  }

  func register(_ polls: inout PollSet) {
    _ = polls.add(listener.number, read: true)
    for pair in pairs {
      if let server = pair.server {
        _ = polls.add(
          pair.client.number, read: !pair.toServer.inputEnded && !pair.toServer.isFull,
          write: !pair.toClient.octets.isEmpty)
        _ = polls.add(
          server.number, read: !pair.toClient.inputEnded && !pair.toClient.isFull,
          write: !pair.toServer.octets.isEmpty)
      } else if let interest = pair.attempt.interest {
        _ = polls.add(interest.number, read: interest.read, write: interest.write)
      }
    }
  }

  var deadline: Int64? { pairs.compactMap { $0.server == nil ? $0.attempt.deadline : nil }.min() }
}

extension Decoding {
  func tapped(_ number: Int, _ direction: Direction, _ octets: Span<UInt8>) {
    if let stream = streams[number], stream.isWanted {
      lendDissector { take(&$0, stream, direction, Clock.wall, octets) }
    }
  }

  func closeTapped(_ number: Int) {
    if let stream = streams[number] {
      lendDissector { close(&$0, stream, .finished, time: Clock.wall) }
    }
    streams[number] = nil
    forgetStream()
  }
}
