// A POSIX extended regular expression, as libc has it. Octets are matched as they are: one that is NUL ends nothing, and
// `.` is one octet, whatever the locale.
import Glibc
import Wire

@safe final class RegularExpression {
  private var compiled = unsafe regex_t()

  init(_ pattern: String) throws(TextFault) {
    let code = unsafe regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB)
    if code == 0 { return }
    var words = [CChar](repeating: 0, count: 200)
    _ = unsafe regerror(code, &compiled, &words, words.count)
    let end = words.firstIndex(of: 0) ?? words.count
    let text = String(decoding: words[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // Nothing was compiled that would have to be freed.
    unsafe compiled = regex_t()
    throw TextFault(text.prefix(1).lowercased() + text.dropFirst())
  }

  deinit { unsafe regfree(&compiled) }

  /// Whether it is found anywhere in `octets`.
  func matches(_ octets: Span<UInt8>) -> Bool {
    if octets.isEmpty {
      return unsafe regexec(&compiled, "", 0, nil, 0) == 0
    }
    return unsafe octets.withUnsafeBytes { raw in
      var place = regmatch_t(rm_so: 0, rm_eo: regoff_t(clamping: raw.count))
      let text = unsafe raw.baseAddress?.assumingMemoryBound(to: CChar.self)
      return unsafe regexec(&compiled, text!, 0, &place, REG_STARTEND) == 0
    }
  }
}
