// The end of a stream and of everything: what only then is known.
import Analysis
import Bytes
import Capture
import Render

extension Decoding {
  /// Everything of the stream has been shown.
  func finish(_ stream: DecodedStream) {
    stream.conversation.eachOpenContent { side, content in
      let place = Place(stream: stream, side: side, time: stream.lastTime, offset: stream.sides[side].offset)
      interrupted(place, content, isEnd: true)
    }
    switch plan.output {
    case .stats: statistics.add(stream)
    case .lint:
      stream.conversation.finish()
      lintFindings(Place(stream: stream, side: 0, time: stream.lastTime, offset: stream.sides[0].offset), 0)
    case .line, .tree, .hex, .json, .messages, .payload, .ladder: break
    }
  }

  func finishOutput() {
    switch plan.output {
    case .stats(json: false): statistics.appendText(to: &out)
    case .stats(json: true): statistics.appendJSON(to: &out)
    case .line, .tree, .hex, .json, .messages, .payload, .ladder, .lint: break
    }
  }

  func rung(_ place: Place, _ text: ByteQueue) {
    let stream = place.stream
    if ladderStream != stream.number {
      if ladderStream != 0 { out.append(0x0a) }
      ladderStream = stream.number
      let (left, right) = (stream.description.source, stream.description.target)
      ladder.head(
        (stream.client == 0 ? left : right) ?? "client", (stream.client == 0 ? right : left) ?? "server", to: &out)
    }
    text.withReadable { text in
      let toRight = stream.isOneWay ? nil : place.isFromClient
      ladder.append(
        text, toRight: toRight, time: { if let time = place.time { clock.append(time, to: &$0) } }, to: &out)
    }
  }
}
