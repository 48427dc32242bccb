// Frames of 0-9-1. A line is a method with the message behind it: content header and bodies are frames of their own, and
// shown as such where octets or fields are asked for.
import Analysis
import Bytes
import Console
import Render
import Wire

extension Decoding {
  func frame091(_ dissector: inout Dissector, _ place: Place, _ b: Span<UInt8>, _ range: Range<Int>) {
    let stream = place.stream
    if showsPlainLines && plain091(place, b, range) { return }
    if showsPlainJSON && plainJSON091(&dissector, place, b, range) { return }
    _ = dissector.frame091(b, at: range.lowerBound)
    if joinsContents {
      if let open = stream.conversation.openContent(dissector, place.side) {
        interrupted(place, open, isEnd: false)
      }
    } else {
      dissector.follow(&stream.sides[place.side].contents)
    }
    var facts = Facts()
    let step = stream.conversation.take091(dissector, b, side: place.side, time: place.time, &facts)
    if !stream.clientIsSure { tellSides091(dissector, place) }
    took(dissector, place, .amqp091)
    guard joinsContents else { return show(dissector, place, b, range, &facts) }
    switch step {
    case .alone: show(dissector, place, b, range, &facts)
    case .stray:
      dissector.follow(&stream.sides[place.side].contents)
      show(dissector, place, b, range, &facts)
    case .begins: begin(dissector, place, b, range, facts)
    case .header, .headerAndEnd:
      header(dissector, place, b)
      if step == .headerAndEnd { end(place, b.extracting(0..<0), facts) }
    case .part: stream.frames -= 1
    case .end:
      stream.frames -= 1
      end(place, b.extracting(Int(dissector.nodes[0].content)..<range.upperBound - 1), facts)
    }
  }

  /// One of the frames that come by the million, without a picture of it. Returns false, and has done nothing, when it is
  /// none of them.
  private func plain091(_ place: Place, _ b: Span<UInt8>, _ range: Range<Int>) -> Bool {
    let stream = place.stream
    let ahead = Conversation.lookAhead091(b, range)
    if stream.frames == 0 || !stream.clientIsSure { return false }
    switch ahead {
    case .nothing: return false
    case .settlement(let settlement): if !PlainMethodLine.isPlain(settlement, b, range) { return false }
    case .header(let header): if header.bodySize == 0 { return false }
    case .publish, .deliver, .body: break
    }
    var facts = Facts()
    let step = stream.conversation.takePlain091(ahead, b, range, side: place.side, time: place.time, &facts) { text in
      switch ahead {
      case .publish(let publish): PlainMethodLine.append(publish, b, range, to: &text)
      case .deliver(let deliver): PlainMethodLine.append(deliver, b, range, to: &text)
      case .header(let header): PlainMethodLine.append(header, b, range, to: &text)
      case .nothing, .settlement, .body: false
      }
    }
    switch step {
    case nil: return false
    case .begins:
      stream.frames += 1
      stream.conversation.withContent(place.side) { $0.at = place.offset + range.lowerBound }
    case .alone:
      stream.frames += 1
      if case .settlement(let settlement) = ahead { line(place, settlement, b, range, facts) }
    case .end:
      end(place, b.extracting(range.lowerBound + Frame091.headSize..<range.upperBound - 1), facts)
    case .header, .headerAndEnd, .part, .stray: break
    }
    return true
  }

  private func line(
    _ place: Place, _ settlement: HotSettlement, _ b: Span<UInt8>, _ range: Range<Int>, _ facts: Facts
  ) {
    _ = out.write(room: 2 * Decoding.prefixRoom + Decoding.answerRoom) { w in
      appendPrefix(place, range.lowerBound, to: &w)
      PlainMethodLine.append(settlement, b, range, to: &w)
      appendAnswer(facts, place.stream.isCaptured, nil, to: &w)
      w.append(0x0a)
      return true
    }
  }

  /// The object of such a frame.
  private func plainJSON091(
    _ dissector: inout Dissector, _ place: Place, _ b: Span<UInt8>, _ range: Range<Int>
  ) -> Bool {
    let stream = place.stream
    let ahead = Conversation.lookAhead091(b, range)
    if stream.frames == 0 || !stream.clientIsSure { return false }
    let payload = range.lowerBound + Frame091.headSize..<range.upperBound - 1
    var (type, bodySize) = (FrameType091.method, UInt64(0))
    switch ahead {
    case .nothing: return false
    case .publish(let publish): if !PlainMethodJSON.isPlain(publish, b, range) { return false }
    case .deliver(let deliver): if !PlainMethodJSON.isPlain(deliver, b) { return false }
    case .settlement(let settlement): if !PlainMethodJSON.isPlain(settlement, b, range) { return false }
    case .header(let header):
      if !PlainMethodJSON.isPlain(header, b) { return false }
      (type, bodySize) = (.header, header.bodySize)
    case .body: type = .body
    }
    var facts = Facts()
    let step = stream.conversation.takePlain091(ahead, b, range, side: place.side, time: place.time, &facts) { _ in true
    }
    if step == nil { return false }
    let method = type == .method ? MethodSpec.index(b.u32(payload.lowerBound)) : MethodSpec.unknown
    let fault = stream.sides[place.side].contents.next(
      type, channel: b.u16(range.lowerBound + 1), octets: payload.count,
      method: method == MethodSpec.unknown ? nil : Int(method), bodySize: bodySize)
    if let fault {
      _ = dissector.frame091(b, at: range.lowerBound)
      dissector.add(fault)
      took(dissector, place, .amqp091)
      show(dissector, place, b, range, &facts)
      return true
    }
    stream.frames += 1
    let context = context(place, range.lowerBound, facts)
    switch ahead {
    case .nothing: break
    case .publish(let publish): PlainMethodJSON.append(publish, b, range, context, to: &out)
    case .deliver(let deliver): PlainMethodJSON.append(deliver, b, range, context, to: &out)
    case .settlement(let settlement): PlainMethodJSON.append(settlement, b, range, context, to: &out)
    case .header(let header): PlainMethodJSON.append(header, b, range, context, to: &out)
    case .body: PlainMethodJSON.append(body: b.extracting(payload), b, range, context, to: &out)
    }
    out.append(0x0a)
    return true
  }

  /// One line for all frames of a message, instead of one for each.
  private var joinsContents: Bool {
    switch plan.output {
    case .line, .ladder, .messages, .payload: true
    case .tree, .hex, .json, .lint, .stats: false
    }
  }

  /// What only one of the two sides may say.
  private func tellSides091(_ dissector: Dissector, _ place: Place) {
    guard dissector.nodes.count > 1, let row = dissector.nodes[1].methodIndex else { return }
    let spec = MethodSpec.all[row]
    let fromServer: Bool
    switch spec.id {
    case MethodID.basicDeliver, MethodID.basicReturn, MethodID.connectionStart, MethodID.connectionSecure,
      MethodID.connectionTune:
      fromServer = true
    case MethodID.basicPublish, MethodID.connectionStartOK, MethodID.connectionTuneOK: fromServer = false
    default:
      // Both may close, stop the flow and cancel.
      if ["connection", "channel"].contains(spec.className) || spec.method.hasPrefix("cancel") { return }
      if spec.method.hasSuffix("-ok") || spec.method == "get-empty" {
        fromServer = true
      } else if spec.synchronous {
        fromServer = false
      } else {
        return
      }
    }
    (place.stream.client, place.stream.clientIsSure) = (fromServer ? 1 - place.side : place.side, true)
  }

  // MARK: Messages

  private func begin(_ dissector: Dissector, _ place: Place, _ b: Span<UInt8>, _ range: Range<Int>, _ facts: Facts) {
    let isWanted = plan.selection.isAll || plan.selection.wants(dissector, facts, place.stream.conversation)
    let origin = -place.offset
    place.stream.conversation.withContent(place.side) { content in
      content.isWanted = isWanted
      content.at = place.offset + range.lowerBound
      content.text.removeAll()
      if !isWanted { return }
      switch plan.output {
      case .payload, .messages(.some): break
      case .line, .tree, .hex, .json, .ladder, .lint, .stats, .messages(nil):
        FrameLine.append(dissector, b, origin: origin, showSecrets: plan.showSecrets, to: &content.text)
        appendAnswer(facts, place.stream.isCaptured, [], to: &content.tail)
      }
    }
  }

  private func header(_ dissector: Dissector, _ place: Place, _ b: Span<UInt8>) {
    place.stream.frames -= 1
    let origin = -place.offset
    place.stream.conversation.withContent(place.side) { content in
      if content.isWanted {
        FrameLine.appendProperties(dissector, b, origin: origin, showSecrets: plan.showSecrets, to: &content.text)
      }
    }
  }

  /// - Parameter last: the body in the last frame, which is all of it when there was one.
  private func end(_ place: Place, _ last: Span<UInt8>, _ facts: Facts) {
    place.stream.conversation.withContent(place.side) { content in
      if !content.isWanted { return }
      if content.frames > 1 {
        let body = content.body
        body.withReadable { show(place, &content, $0, facts) }
      } else {
        show(place, &content, last, facts)
      }
    }
    if facts.frames > 1 { place.stream.conversation.dropBody(place.side) }
  }

  private func show(_ place: Place, _ content: inout Content, _ body: Span<UInt8>, _ facts: Facts) {
    switch plan.output {
    case .line: line(place, content, body, to: &out)
    case .ladder:
      var text = ByteQueue()
      append(content, body, to: &text)
      rung(place, text)
    case .messages, .payload: message(place, content, body)
    case .tree, .hex, .json, .lint, .stats: break
    }
  }

  private func line(_ place: Place, _ content: borrowing Content, _ body: Span<UInt8>, to q: inout ByteQueue) {
    if !plan.isColored && plainLine(place, content, body, to: &q) { return }
    appendPrefix(place, content.at - place.offset, to: &q)
    append(content, body, to: &q)
    q.append(0x0a)
  }

  /// The same at one go, when the message is all there and its body plain.
  private func plainLine(
    _ place: Place, _ content: borrowing Content, _ body: Span<UInt8>, to q: inout ByteQueue
  ) -> Bool {
    if !content.isWhole || UInt64(content.seen) > content.size || isBinary(content) { return false }
    let room = 2 * Decoding.prefixRoom + PlainMethodLine.bodyRoom + content.text.count + content.tail.count
    return q.write(room: room) { w in
      appendPrefix(place, content.at - place.offset, to: &w)
      content.text.withReadable { w.append($0) }
      w.append(UInt8(ascii: " "))
      guard PlainMethodLine.append(body: body, to: &w) else { return false }
      if content.frames > 1 {
        w.append(" (")
        w.append(decimal: UInt64(content.frames))
        w.append(" frames)")
      }
      content.tail.withReadable { w.append($0) }
      w.append(0x0a)
      return true
    }
  }

  private func isBinary(_ content: borrowing Content) -> Bool {
    content.properties.withReadable { ContentType.isBinary(properties: $0) }
  }

  private func append(_ content: borrowing Content, _ body: Span<UInt8>, to q: inout ByteQueue) {
    content.text.withReadable { q.append($0) }
    q.append(UInt8(ascii: " "))
    if content.isWhole {
      FrameLine.append(body: body, isBinary: isBinary(content), to: &q)
    } else {
      q.append(decimal: content.seen)
      q.append(" octets")
    }
    if content.frames > 1 {
      q.append(" (")
      q.append(decimal: content.frames)
      q.append(" frames)")
    }
    content.tail.withReadable { q.append($0) }
    if UInt64(content.seen) > content.size {
      q.append("  warning: body ")
      q.append(decimal: content.seen)
      q.append(" octets, content header declared ")
      q.append(decimal: content.size)
      q.append(" (0-9-1 §4.2.6.2)")
    }
  }

  private func message(_ place: Place, _ content: borrowing Content, _ body: Span<UInt8>) {
    let at = content.at - place.offset
    if !content.isWhole {
      return summary.note("a message of \(content.seen) octets is not shown: larger than what is kept")
    }
    messages += 1
    switch plan.output {
    case .messages(let style?):
      do throws(Problem) {
        sections.removeAll()
        try content.exchange.withReadable { exchange throws(Problem) in
          try content.routingKey.withReadable { key throws(Problem) in
            try content.properties.withReadable { properties throws(Problem) in
              try sectionsCache.append(
                exchange: exchange, routingKey: key, properties: properties, bodySize: body.count, to: &sections)
            }
          }
        }
        sections.append(body)
      } catch {
        return trouble(place, at, "no message: \(error.text) (\(error.section))")
      }
      var context = MessageContext()
      let (exchange, key) = (content.exchange.text, content.routingKey.text)
      context.address = exchange.isEmpty ? key : "\(exchange)/\(key)"
      context.isBasic = true
      context.number = UInt64(messages)
      context.arrival = place.time.map { $0 / 1_000_000 }
      sections.withReadable { b in
        joined.message(b, in: 0..<b.count)
        MessageJSON.append(joined, b, context, style: style, to: &out)
      }
    case .payload: out.append(body)
    default:
      appendPrefix(place, at, to: &out)
      append(content, body, to: &out)
    }
    out.append(0x0a)
  }

  /// The message that was under way stays a part.
  /// - Parameter isEnd: nothing more comes; else another method did.
  func interrupted(_ place: Place, _ content: Content, isEnd: Bool) {
    if !content.isWanted { return }
    switch plan.output {
    case .line, .ladder:
      var text = ByteQueue()
      content.text.withReadable { text.append($0) }
      if content.state == .body {
        text.append("  warning: ")
        text.append(decimal: content.seen)
        text.append(" of ")
        text.append(decimal: content.size)
        text.append(" octets of its body (0-9-1 §4.2.6)")
      } else if !isEnd {
        text.append("  warning: no content header (0-9-1 §4.2.6)")
      } else if place.stream.isCaptured {
        text.append(" (content not captured)")
      }
      if plan.output == .ladder { return rung(place, text) }
      appendPrefix(place, content.at - place.offset, to: &out)
      text.withReadable { out.append($0) }
      out.append(0x0a)
    case .messages, .payload:
      summary.note("a message is not shown: \(content.seen) of \(content.size) octets of its body are there")
    case .tree, .hex, .json, .lint, .stats: break
    }
  }
}

extension ByteQueue {
  fileprivate var text: String { withReadable { $0.text } }
}
