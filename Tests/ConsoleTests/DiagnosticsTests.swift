import Console
import Testing

@Suite struct DiagnosticsTests {
  @Test func twoLines() {
    let failure = Failure(
      "cannot connect to h:5672", "connection refused", nextStep: "is it running?", exitCode: .unreachable)
    #expect(
      Diagnostics(program: "amqp").text(failure)
        == "amqp: cannot connect to h:5672: connection refused\n  is it running?\n")
    #expect(Diagnostics(program: "amqp").text(Failure("no", exitCode: .failure)) == "amqp: no\n")
  }

  @Test func aPeerCannotSteerTheTerminal() {
    let hostile = "a\u{1B}[2Jb\nc\r\u{7}\u{9B}31m\u{202E}é"
    #expect(Diagnostics.printable(hostile) == "a\\x1b[2Jb\\nc\\r\\x07\\u{9b}31m\\u{202e}é")
    let text = Diagnostics(program: "amqp").text(Failure("x", hostile, exitCode: .failure))
    #expect(text.utf8.filter { $0 == 0x0A }.count == 1 && !text.utf8.contains(0x1B))
  }

  @Test func colorIsOnlyTheName() {
    let text = Diagnostics(program: "amqp", isColored: true).text(Failure("no", exitCode: .failure))
    #expect(text == "\u{1B}[1;31mamqp:\u{1B}[0m no\n")
  }

  @Test(arguments: [
    ([ExitCode.success, .incomplete], ExitCode.incomplete), ([.incomplete, .notAccepted], .notAccepted),
    ([.notAccepted, .failure], .failure), ([.failure, .unreachable, .cannotWrite], .unreachable),
    ([.unreachable, .interrupted], .interrupted), ([.interrupted, .terminated, .usage], .interrupted),
  ]) func ofSeveralStatusesTheGravestAndFirst(_ codes: [ExitCode], _ result: ExitCode) {
    #expect(codes.reduce(.success) { $0.combined(with: $1) } == result)
  }
}
