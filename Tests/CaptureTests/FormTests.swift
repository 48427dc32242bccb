/// Every spelling of octets, told apart by itself and read in pieces of every size.
import Bytes
import Capture
import Support
import Testing

@Suite struct FormTests {
  private func all(_ reading: Reading) -> [[UInt8]] {
    reading.streams.map { $0.unknown + $0.forward + $0.backward }
  }

  @Test(arguments: spellings) func detected(_ spelling: Spelling) {
    let reading = readCapture(spelling.text)
    #expect(reading.form == spelling.form)
    #expect(all(reading) == [sample])
    #expect(reading.failure == nil)
    #expect(reading.gaps == [])
  }

  @Test(arguments: spellings) func asked(_ spelling: Spelling) {
    let reading = readCapture(spelling.text, as: spelling.form)
    #expect(all(reading) == [sample])
  }

  @Test(arguments: spellings) func inPieces(_ spelling: Spelling) {
    let whole = readCapture(spelling.text)
    for size in 1...40 { #expect(readCapture(spelling.text, pieces: size) == whole, "\(size)") }
  }

  @Test(arguments: spellings) func twice(_ spelling: Spelling) {
    let reading = readCapture(spelling.text + "\n" + spelling.text + "\n")
    #expect(reading.form == spelling.form)
    #expect(all(reading) == [sample + sample])
  }

  @Test(arguments: spellings.filter { $0.form != .hex && $0.form != .base64 && $0.form != .dotnet })
  func withOtherLinesAround(_ spelling: Spelling) {
    let reading = readCapture("$ some command\n\nThis is what it said.\n" + spelling.text + "\nno more\n")
    #expect(reading.form == spelling.form)
    #expect(all(reading) == [sample])
    #expect(reading.notes.contains { $0.hasSuffix("other text left out") })
  }

  @Test(arguments: spellings) func windowsLineEnds(_ spelling: Spelling) {
    let text = spelling.text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.hasSuffix("\r") ? String(line) : line + "\r"
    }
    #expect(all(readCapture(text.joined(separator: "\n"))) == [sample])
  }

  /// Whatever the form asked for, whatever the text: an end, and no more octets than characters.
  @Test(arguments: InputForm.allCases) func everyTextInEveryForm(_ form: InputForm) {
    for spelling in spellings {
      let reading = readCapture(spelling.text, as: form)
      let count = all(reading).reduce(0) { $0 + $1.count }
      #expect(count <= spelling.text.utf8.count)
    }
  }
}
