/// The body of a message's JSON, in both styles: data, sequences, a value, and several of them.
import Bytes
import Wire

extension MessageJSON {
  private func eachBody(_ first: Int, _ body: (_ code: UInt64, _ value: Int) -> Void) {
    var i = first
    while i < nodes.count {
      if nodes[i].place == .section, isBody(sectionCode(i)), let value = json.described(i) {
        body(sectionCode(i), value)
      }
      i = Int(nodes[i].next)
    }
  }

  func body(_ b: Span<UInt8>, _ first: Int, _ comma: inout Bool, to q: inout ByteQueue) {
    member("body", &comma, to: &q)
    var data = 0
    var sequences = 0
    var values = 0
    var only = 0
    eachBody(first) { code, value in
      if code == Code.data { data += 1 } else if code == Code.amqpSequence { sequences += 1 } else { values += 1 }
      only = value
    }
    if style == .plain { return plainBody(b, first, data, only, to: &q) }
    let kinds = (data > 0 ? 1 : 0) + (sequences > 0 ? 1 : 0) + values
    if data + sequences + values == 1 {
      single(data > 0 ? Code.data : sequences > 0 ? Code.amqpSequence : Code.amqpValue, only, b, to: &q)
    } else if kinds > 1 {
      q.append("{\"sections\":[")
      list(first, to: &q) { code, value, q in single(code, value, b, to: &q) }
    } else {
      q.append(data > 0 ? "{\"data\":[" : "{\"sequences\":[")
      list(first, to: &q) { _, value, q in json.bare(value, b, to: &q) }
    }
  }

  private func list(
    _ first: Int, to q: inout ByteQueue, _ write: (_ code: UInt64, _ value: Int, _ q: inout ByteQueue) -> Void
  ) {
    var comma = false
    eachBody(first) { code, value in
      if comma { q.append(UInt8(ascii: ",")) }
      comma = true
      write(code, value, &q)
    }
    q.append("]}")
  }

  private func single(_ code: UInt64, _ value: Int, _ b: Span<UInt8>, to q: inout ByteQueue) {
    if code == Code.data {
      let octets = nodes[value].contentRange
      if b.extracting(octets).firstInvalidUTF8() == nil {
        q.append("{\"text\":")
        q.append(jsonString: b.extracting(octets))
      } else {
        q.append("{\"data\":")
        json.bare(value, b, to: &q)
      }
    } else if code == Code.amqpSequence {
      q.append("{\"sequence\":")
      json.bare(value, b, to: &q)
    } else {
      q.append("{\"value\":")
      json.append(value, b, to: &q)
    }
    q.append(UInt8(ascii: "}"))
  }

  /// Data sections are one octet string, as a plain `receive` prints them; more than one value becomes an array.
  private func plainBody(_ b: Span<UInt8>, _ first: Int, _ data: Int, _ only: Int, to q: inout ByteQueue) {
    if data == 1 { return plainData(b.extracting(nodes[only].contentRange), to: &q) }
    if data > 1 {
      var joined: [UInt8] = []
      eachBody(first) { code, value in
        if code == Code.data { joined += b.extracting(nodes[value].contentRange).array }
      }
      return plainData(joined.span, to: &q)
    }
    var count = 0
    eachBody(first) { _, _ in count += 1 }
    if count == 1 { return json.plain(only, b, to: &q) }
    q.append(UInt8(ascii: "["))
    var comma = false
    eachBody(first) { _, value in
      if comma { q.append(UInt8(ascii: ",")) }
      comma = true
      json.plain(value, b, to: &q)
    }
    q.append(UInt8(ascii: "]"))
  }

  private func plainData(_ octets: Span<UInt8>, to q: inout ByteQueue) {
    if octets.firstInvalidUTF8() != nil { return q.append(jsonBase64: octets) }
    if (try? JSONReader.read(octets)) != nil { return q.append(jsonOnOneLine: octets) }
    q.append(jsonString: octets)
  }
}
