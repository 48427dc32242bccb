// One frame: what it says, what the conversation knows about it, and its place in the output that was asked for.
import Analysis
import Bytes
import Console
import Render
import Wire

extension Decoding {
  static let transfer = CompositeSpec.index(code: Code.transfer)

  // MARK: 1.0

  func frame10(_ dissector: inout Dissector, _ place: Place, _ b: Span<UInt8>, _ range: Range<Int>) {
    let stream = place.stream
    let (ahead, isPart) = stream.conversation.lookAhead(b, range, side: place.side)
    let payload: Dissector.Payload = isPart ? .opaque : .message
    var facts = Facts()
    if case .nothing = ahead {
      _ = dissector.frame(b, at: range.lowerBound, payload: payload)
      stream.conversation.take(dissector, b, side: place.side, time: place.time, &facts)
      if facts.part != .whole {
        // A part of a message that was not plain enough to be seen as one.
        _ = dissector.frame(b, at: range.lowerBound, payload: .opaque)
      }
      if !stream.clientIsSure { tellSides(dissector, place) }
    } else {
      stream.conversation.take(ahead, b, range, side: place.side, time: place.time, &facts)
      if showsPlainLines && plainLine(place, b, range, payload, facts)
        || showsPlainJSON && plainJSON(place, b, range, payload, facts)
      {
        if facts.part == .last { stream.conversation.release(facts) }
        return
      }
      _ = dissector.frame(b, at: range.lowerBound, payload: payload)
    }
    took(dissector, place, .amqp10)
    show(dissector, place, b, range, &facts)
    if facts.part == .last { stream.conversation.release(facts) }
  }

  func took(_ dissector: Dissector, _ place: Place, _ dialect: Dialect) {
    count(place, dialect)
    if dissector.problems.isEmpty { return }
    if dissector.isMalformed {
      malformed += 1
      status = status.combined(with: .badInput)
    }
  }

  private func count(_ place: Place, _ dialect: Dialect) {
    if place.stream.frames == 0 { place.stream.dialects.insert(dialect) }
    place.stream.frames += 1
  }

  /// The line of a frame as they come by the million, without a picture of it. Returns false, and nothing is done, when
  /// it takes one.
  private func plainLine(
    _ place: Place, _ b: Span<UInt8>, _ range: Range<Int>, _ payload: Dissector.Payload, _ facts: Facts
  ) -> Bool {
    let label = facts.link >= 0 ? place.stream.conversation.links[facts.link].label : []
    let room = PlainFrameLine.room + Decoding.prefixRoom + Decoding.answerRoom + label.count
    let isPlain = out.write(room: room) { w in
      appendPrefix(place, range.lowerBound, to: &w)
      let link = label.isEmpty ? nil : label.span
      if !PlainFrameLine.append(b, in: range, payload: payload, link: link, to: &w) { return false }
      if facts.isJoined { return true }
      appendAnswer(facts, place.stream.isCaptured, label, to: &w)
      w.append(0x0a)
      return true
    }
    if !isPlain { return false }
    count(place, .amqp10)
    if facts.isJoined { endLine(place, facts, label) }
    return true
  }

  /// The same as an object.
  private func plainJSON(
    _ place: Place, _ b: Span<UInt8>, _ range: Range<Int>, _ payload: Dissector.Payload, _ facts: Facts
  ) -> Bool {
    if facts.isJoined { return false }
    let context = context(place, range.lowerBound, facts)
    if !PlainFrameJSON.append(b, in: range, payload: payload, context, to: &out) { return false }
    out.append(0x0a)
    count(place, .amqp10)
    return true
  }

  /// SASL says who is the client, where the start of a connection doesn't.
  private func tellSides(_ dissector: Dissector, _ place: Place) {
    if dissector.nodes.count < 2 { return }
    let client: Int
    switch CompositeSpec.row(dissector.nodes[1].row)?.code {
    case Code.saslInit, Code.saslResponse: client = place.side
    case Code.saslMechanisms, Code.saslChallenge, Code.saslOutcome: client = 1 - place.side
    default: return
    }
    (place.stream.client, place.stream.clientIsSure) = (client, true)
  }

  // MARK: What is shown

  func show(_ dissector: Dissector, _ place: Place, _ b: Span<UInt8>, _ range: Range<Int>, _ facts: inout Facts) {
    if !plan.selection.isAll && !plan.selection.wants(dissector, facts, place.stream.conversation) {
      place.stream.conversation.clearFindings()
      return
    }
    switch plan.output {
    case .line: line(dissector, place, b, range, facts)
    case .tree:
      appendPrefix(place, range.lowerBound, to: &out)
      FrameTree.append(dissector, b, origin: -place.offset, showSecrets: plan.showSecrets, to: &out)
      showJoined(place, facts) { FrameTree.append($0, $1, showSecrets: plan.showSecrets, to: &out) }
    case .hex:
      if place.time != nil || !place.stream.isOneWay {
        appendPrefix(place, range.lowerBound, to: &out)
        out.truncate(to: out.count - (plan.isColored ? 0 : 1))
        out.append(0x0a)
      }
      FrameHex.append(dissector, b, origin: -place.offset, showSecrets: plan.showSecrets, to: &out)
    case .json: json(dissector, place, b, range, facts)
    case .messages, .payload: message(dissector, place, b, range, facts)
    case .ladder:
      var text = ByteQueue()
      let label = facts.link >= 0 ? place.stream.conversation.links[facts.link].label : []
      FrameLine.append(
        dissector, b, origin: -place.offset, link: label.isEmpty ? nil : label.span, showSecrets: plan.showSecrets,
        to: &text)
      appendAnswer(facts, place.stream.isCaptured, label, to: &text)
      rung(place, text)
    case .stats:
      statistics.time(place.time)
      statistics.count(dissector, octets: range.count, part: facts.part)
    case .lint: lint(dissector, place, b, range, facts)
    }
  }

  private func line(_ dissector: Dissector, _ place: Place, _ b: Span<UInt8>, _ range: Range<Int>, _ facts: Facts) {
    appendPrefix(place, range.lowerBound, to: &out)
    let label = facts.link >= 0 ? place.stream.conversation.links[facts.link].label : []
    let isBad = plan.isColored && (facts.isFailure || !dissector.problems.isEmpty)
    if isBad { out.append(dissector.isMalformed ? "\u{1B}[31m" : "\u{1B}[33m") }
    if !label.isEmpty {
      FrameLine.append(
        dissector, b, origin: -place.offset, link: label.span, showSecrets: plan.showSecrets, to: &out)
    } else {
      FrameLine.append(dissector, b, origin: -place.offset, showSecrets: plan.showSecrets, to: &out)
    }
    endLine(place, facts, label, isBad: isBad)
  }

  /// What a frame answers, and the message of which it is the last part.
  private func endLine(_ place: Place, _ facts: Facts, _ label: [UInt8], isBad: Bool = false) {
    appendAnswer(facts, place.stream.isCaptured, label, to: &out)
    if facts.isJoined {
      out.append(": ")
      place.stream.conversation.withJoined(facts) { whole in
        joined.message(whole, in: 0..<whole.count)
        FrameLine.append(joined, whole, showSecrets: plan.showSecrets, to: &out)
      }
      countJoined()
    }
    if isBad { out.append("\u{1B}[0m") }
    out.append(0x0a)
  }

  func countJoined() {
    if joined.isMalformed {
      malformed += 1
      status = status.combined(with: .badInput)
    }
  }

  /// Hands out the message that the last of its parts made whole.
  func showJoined(_ place: Place, _ facts: Facts, _ body: (Dissector, Span<UInt8>) -> Void) {
    if !facts.isJoined { return }
    place.stream.conversation.withJoined(facts) { whole in
      joined.message(whole, in: 0..<whole.count)
      countJoined()
      body(joined, whole)
    }
  }

  // MARK: Messages

  private func message(
    _ dissector: Dissector, _ place: Place, _ b: Span<UInt8>, _ range: Range<Int>, _ facts: Facts
  ) {
    guard dissector.nodes.count > 1, dissector.nodes[1].row == Decoding.transfer, facts.link >= 0 else { return }
    switch facts.part {
    case .first, .middle: return
    case .whole:
      let start = dissector.nodes[1].range.upperBound
      if start >= range.upperBound && facts.octets == 0 { return }
      message(
        place, facts, dissector, from: Int(dissector.nodes[1].next), b, start..<range.upperBound,
        dissector.record(at: 1, b).map { Transfer($0) })
    case .last:
      if !facts.isJoined {
        if facts.octets > 0 {
          summary.note(
            "a message of \(facts.octets) octets is not shown: larger than what is kept, or its start is missing")
        }
        return
      }
      let transfer = dissector.record(at: 1, b).map { Transfer($0) }
      place.stream.conversation.withJoined(facts) { whole in
        joined.message(whole, in: 0..<whole.count)
        countJoined()
        message(place, facts, joined, from: 0, whole, 0..<whole.count, transfer)
      }
    }
  }

  private func message(
    _ place: Place, _ facts: Facts, _ read: Dissector, from first: Int, _ b: Span<UInt8>, _ range: Range<Int>,
    _ transfer: Transfer?
  ) {
    messages += 1
    switch plan.output {
    case .messages(nil):
      appendPrefix(place, range.lowerBound, to: &out)
      let label = place.stream.conversation.links[facts.link].label
      if !label.isEmpty {
        out.append("link=")
        out.append(label.span)
        out.append(UInt8(ascii: " "))
      }
      joined.message(b, in: range)
      FrameLine.append(joined, b, origin: -place.offset, showSecrets: plan.showSecrets, to: &out)
      out.append(0x0a)
    case .messages(let style?):
      var context = MessageContext()
      let link = place.stream.conversation.links[facts.link]
      if !link.address.isEmpty { context.address = String(decoding: link.address, as: UTF8.self) }
      context.number = UInt64(messages)
      context.arrival = place.time.map { $0 / 1_000_000 }
      if let transfer { describe(transfer, &context) }
      MessageJSON.append(read, b, from: first, context, style: style, to: &out)
      out.append(0x0a)
    default:
      do throws(Problem) {
        try BodyText.append(b, in: range, with: &joined, to: &out)
      } catch {
        trouble(place, range.lowerBound, "no body: \(error.text) (\(error.section))")
      }
      out.append(0x0a)
    }
  }

  private func describe(_ transfer: Transfer, _ context: inout MessageContext) {
    context.deliveryID = transfer.deliveryID
    context.tag = transfer.deliveryTag
    context.settled = transfer.settled ?? false
    context.messageFormat = transfer.messageFormat == 0 ? nil : transfer.messageFormat
  }

  // MARK: What is no frame

  func header(_ place: Place, _ header: ProtocolHeader, _ b: Span<UInt8>, _ range: Range<Int>) {
    let stream = place.stream
    if place.offset + range.lowerBound == 0 { stream.conversation.startSeen = true }
    if let foreign = Foreign(header) {
      stream.foreign = foreign
    } else if header == .amqp091 {
      stream.dialects.insert(.amqp091)
    } else if header.major == 1 {
      stream.dialects.insert(.amqp10)
    }
    let problem = stream.foreign == nil ? header.fault(at: range.lowerBound) : nil
    if problem != nil {
      malformed += 1
      status = status.combined(with: .badInput)
    }
    guard plan.selection.wantsHeaders else { return }
    func line(to q: inout ByteQueue) {
      FrameLine.append(header, to: &q)
      if let problem {
        q.append(utf8: "  malformed at \(address(place.offset + problem.offset)): \(problem.text) (\(problem.section))")
      }
    }
    switch plan.output {
    case .line, .tree:
      appendPrefix(place, range.lowerBound, to: &out)
      line(to: &out)
      if Foreign(header) != nil { out.append(": not decoded") }
      out.append(0x0a)
    case .hex:
      if place.time != nil || !stream.isOneWay {
        appendPrefix(place, range.lowerBound, to: &out)
        out.truncate(to: out.count - (plan.isColored ? 0 : 1))
        out.append(0x0a)
      }
      let offset = UInt64(place.offset + range.lowerBound)
      out.append(hex: offset, digits: offset > 0xffff ? 8 : 4)
      for i in range {
        out.append(i == range.lowerBound || i == range.lowerBound + 4 ? "  " : " ")
        out.append(hex: b[i])
      }
      out.append("    ")
      line(to: &out)
      out.append(0x0a)
    case .json: json(place, b.extracting(range), at: range.lowerBound, .header(header), problem: problem)
    case .ladder:
      var text = ByteQueue()
      line(to: &text)
      rung(place, text)
    case .stats: statistics.countHeader()
    case .lint:
      if let problem {
        finding(place, range.lowerBound, "malformed") { $0.append(utf8: "\(problem.text) (\(problem.section))") }
      }
    case .messages, .payload: break
    }
  }

  func bare(_ dissector: inout Dissector, _ place: Place, _ bare: Bare, _ b: Span<UInt8>, _ range: Range<Int>) {
    dissector.reset()
    switch bare {
    case .message: dissector.message(b, in: range)
    case .performative:
      if let end = dissector.value(b, at: range.lowerBound, limit: range.upperBound), end < range.upperBound {
        summary.note("\(DecodeSummary.counted(range.upperBound - end, "octet")) behind the performative: not read")
      }
    case .method: dissector.method091(b, in: range)
    case .contentHeader: dissector.contentHeader091(b, in: range)
    }
    summary.note("a \(bare.name)")
    took(dissector, place, bare.dialect)
    var facts = Facts()
    show(dissector, place, b, range, &facts)
  }

  func lost(_ dissector: inout Dissector, _ place: Place, _ dialect: Dialect, _ b: Span<UInt8>, _ at: Int) {
    switch dialect {
    case .amqp10: _ = dissector.frame(b, at: at, payload: .opaque)
    case .amqp091: _ = dissector.frame091(b, at: at)
    }
    took(dissector, place, dialect)
    var facts = Facts()
    show(dissector, place, b, at..<b.count, &facts)
  }

  func truncated(_ place: Place, _ dialect: Dialect, _ b: Span<UInt8>, _ range: Range<Int>) {
    let problem =
      switch dialect {
      case .amqp10: Dissector.truncation(b, at: range.lowerBound)
      case .amqp091: Dissector.truncation091(b, at: range.lowerBound)
      }
    malformed += 1
    status = status.combined(with: .badInput)
    place.stream.frames += 1
    place.stream.dialects.insert(dialect)
    if plan.output == .json {
      return json(place, b.extracting(range), at: range.lowerBound, .truncated, problem: problem)
    }
    trouble(
      place, range.lowerBound,
      "malformed at \(address(place.offset + problem.offset)): \(problem.text) (\(problem.section))")
  }

  func skipped(_ place: Place, _ count: Int, before at: Int, isFound: Bool) {
    // What is no AMQP at all is said once, at the end.
    if !isFound && place.stream.frames == 0 && place.stream.dialects.isEmpty && !place.stream.isCaptured { return }
    // A capture begins where it begins, and has gaps.
    if !place.stream.isCaptured { status = status.combined(with: .badInput) }
    let from = place.offset + at - count
    trouble(
      place, at - count, "skipped \(DecodeSummary.counted(count, "octet")) at offset \(address(from))")
  }

  /// A line about something that is no frame.
  func trouble(_ place: Place, _ at: Int, _ text: String) {
    if !plan.selection.wantsTroubles { return }
    switch plan.output {
    case .line, .tree, .hex:
      appendPrefix(place, at, to: &out)
      out.append(utf8: Diagnostics.printable(text))
      out.append(0x0a)
    case .ladder:
      var line = ByteQueue()
      line.append(utf8: Diagnostics.printable(text))
      rung(place, line)
    case .lint: finding(place, at, "stream") { $0.append(utf8: text) }
    case .json, .messages, .payload, .stats: summary.note(text)
    }
  }
}

/// A number as people write addresses: 0x and an even number of digits.
func address(_ v: Int) -> String {
  let digits = String(v, radix: 16)
  return "0x" + (digits.count % 2 == 0 ? "" : "0") + digits
}
