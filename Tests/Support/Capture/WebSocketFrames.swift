/// WebSocket from RFC 6455: an upgrade and frames.

package let webSocketHead = Array(
  "GET /amqp HTTP/1.1\r\nHost: broker\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n".utf8)

package let webSocketAnswer = Array("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n".utf8)

package func webSocketFrame(
  _ payload: [UInt8], opcode: UInt8 = 2, isLast: Bool = true, mask: [UInt8]? = nil, flags: UInt8 = 0
) -> [UInt8] {
  var out = [(isLast ? 0x80 : 0) | flags | opcode]
  let bit: UInt8 = mask == nil ? 0 : 0x80
  switch payload.count {
  case ..<126: out.append(bit | UInt8(payload.count))
  case ..<65_536: out += [bit | 126] + big(UInt16(payload.count))
  default: out += [bit | 127] + big(UInt64(payload.count))
  }
  guard let mask else { return out + payload }
  return out + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
}
