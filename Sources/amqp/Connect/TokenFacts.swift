// What an OAuth 2 token says of itself when it is a JSON Web Token (RFC 7519), read to explain why a peer does not take it.
// Whether it is genuine is not looked at.
import Bytes
import Render

struct TokenFacts {
  /// Seconds since 1970-01-01 UTC.
  let expiry: Int64?
  let beginning: Int64?

  /// Nil: it is no such token.
  init?(_ token: String) {
    let parts = token.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3 else { return nil }
    // RFC 4648 §5: two letters differ.
    let payload = parts[1].utf8.map {
      $0 == UInt8(ascii: "-") ? UInt8(ascii: "+") : $0 == UInt8(ascii: "_") ? 0x2f : $0
    }
    guard let octets = bytesFromBase64(payload.span), let claims = try? JSONReader.read(octets.span) else { return nil }
    expiry = TokenFacts.seconds(claims["exp"])
    beginning = TokenFacts.seconds(claims["nbf"])
  }

  private static func seconds(_ json: JSON?) -> Int64? {
    guard case .number(let text)? = json else { return nil }
    return Int64(text.prefix { $0 != "." })
  }

  /// "the token expired on 2026-11-21T10:00:00Z"; nil: its time is not what is wrong.
  func untimely(now: Int64) -> String? {
    if let expiry, expiry <= now { return "the token expired on \(TokenFacts.text(expiry))" }
    if let beginning, beginning > now { return "the token is not valid before \(TokenFacts.text(beginning))" }
    return nil
  }

  private static func text(_ seconds: Int64) -> String {
    let (milliseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
    if overflow { return "\(seconds) s" }
    var q = ByteQueue()
    q.append(rfc3339: milliseconds)
    return String(decoding: q.bytes, as: UTF8.self)
  }
}
