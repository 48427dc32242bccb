// `--rate` and `--keep-timing` under a virtual clock: how many messages have gone out, and how evenly.
import Console
import Render
import Testing
import Wire

@testable import amqp

@Suite struct PaceTests {
  private let second: Int64 = 1_000_000_000
  private let millisecond: Int64 = 1_000_000

  /// A loop that is woken when it asks to be, to the next millisecond as poll(2) does it, and sometimes later.
  private struct Run {
    var pace: Pace
    var now: Int64 = 0
    var begun = 0
    /// Messages by the tenth of a second in which they went out.
    var tenths: [Int] = []

    init(_ rate: Int) { pace = Pace(rate: rate) }

    mutating func run(
      until end: Int64, late: (Int64) -> Int64 = { _ in 0 }, hasMessages: (Int64) -> Bool = { _ in true }
    ) {
      while now < end {
        pace.turn(now: now, begun: begun)
        if hasMessages(now) && pace.allowance > begun {
          let n = pace.allowance - begun
          begun += n
          let tenth = Int(now / 100_000_000)
          while tenths.count <= tenth { tenths.append(0) }
          tenths[tenth] += n
        }
        if pace.allowance > begun { pace.starved(now: now, begun: begun) }
        let due = pace.due(begun: begun)
        let wait = max(1, (due - now + 999_999) / 1_000_000)
        now += (hasMessages(now) ? wait : 1) * 1_000_000 + late(now)
      }
    }
  }

  @Test(arguments: [10, 33, 100, 777, 1_000, 9_999, 10_000, 100_000, 1_000_000])
  func aMessageEachPartOfASecond(_ rate: Int) {
    var run = Run(rate)
    run.run(until: 10 * second)
    let error = abs(Double(run.begun) / Double(rate * 10) - 1)
    #expect(error < 0.011, "\(run.begun) in 10 s at \(rate)")
    // Evenly: no tenth of a second has more than its part, and what a millisecond holds.
    let most = run.tenths.max() ?? 0
    #expect(most <= rate / 10 + rate / 500 + 2, "\(most) in a tenth of a second at \(rate)")
  }

  @Test(arguments: [10, 1_000, 100_000]) func aBusyMachineIsMadeUpFor(_ rate: Int) {
    var run = Run(rate)
    // Every 400 ms nothing moves for 150 ms.
    var last: Int64 = 0
    run.run(
      until: 10 * second,
      late: { now in
        if now - last < 400_000_000 { return 0 }
        last = now
        return 150_000_000
      })
    #expect(abs(Double(run.begun) / Double(rate * 10) - 1) < 0.02, "\(run.begun) in 10 s at \(rate)")
  }

  @Test func noBurstAfterASilence() {
    var run = Run(1_000)
    // Nothing to send from 2 s to 7 s.
    run.run(until: 10 * second, hasMessages: { $0 < 2_000_000_000 || $0 > 7_000_000_000 })
    #expect(abs(run.begun - 5_000) < 50, "\(run.begun)")
    #expect((run.tenths.max() ?? 0) <= 103, "\(run.tenths)")
  }

  @Test func slowInputIsNoReasonToHurry() {
    var run = Run(10)
    // A message each 30 ms: the second of two waits its time.
    run.run(until: 2 * second, hasMessages: { $0 / 1_000_000 % 30 == 0 })
    #expect(run.begun <= 21, "\(run.begun)")
  }

  @Test func nothingIsSavedUpBeforeTheFirst() {
    var pace = Pace(rate: 1_000)
    pace.turn(now: 0, begun: 0)
    pace.turn(now: 5 * second, begun: 0)
    #expect(pace.allowance == 1)
    pace.turn(now: 5 * second + millisecond, begun: 1)
    #expect(pace.allowance == 2)
  }

  // MARK: --keep-timing

  private func replay(_ speed: String? = nil) throws -> Replay {
    let parser = Parser(Commands.program, environment: { _ in nil })
    var words = ["send", "q", "-J", "--keep-timing"]
    if let speed { words += ["--speed", speed] }
    guard case .run(let arguments) = try parser.parse(words) else { throw TextFault("no run") }
    return try #require(try Replay(arguments))
  }

  @Test func messagesAreDueAsTheyCame() throws {
    var replay = try replay()
    let start = 3 * second
    #expect(replay.due(1_000, now: start) == start)
    #expect(replay.due(1_250, now: start) == start + 250 * millisecond)
    // Without a time, and with one that lies before: at once behind the others.
    #expect(replay.due(nil, now: start) == start + 250 * millisecond)
    #expect(replay.due(500, now: start) == start + 250 * millisecond)
    #expect(replay.due(2_000, now: start) == start + second)
  }

  @Test(arguments: [("2x", 500), ("0.5", 2_000), ("10x", 100)]) func faster(_ speed: String, _ milliseconds: Int64)
    throws
  {
    var replay = try replay(speed)
    _ = replay.due(0, now: 0)
    #expect(replay.due(1_000, now: 0) == milliseconds * millisecond)
  }

  @Test(arguments: ["0", "-1", "x", "nan", "inf", "2y"]) func noSpeed(_ text: String) {
    #expect(throws: (any Error).self) { try replay(text) }
  }

  @Test func aHeldMessageComesOutWhenItIsDue() throws {
    var replay = try replay()
    _ = replay.due(0, now: 0)
    _ = replay.due(100, now: 0)
    replay.hold(MessageDraft(), line: 7)
    #expect(replay.deadline == 100 * millisecond)
    #expect(replay.release(now: 99 * millisecond) == nil)
    #expect(replay.release(now: 100 * millisecond)?.line == 7)
    #expect(replay.held == nil && replay.deadline == nil)
  }

  @Test func theArrivalOfALine() throws {
    let line = Array(#"{"body":"x","delivery":{"number":1,"time":1764316800123}}"#.utf8)
    #expect(Replay.arrival(try JSON(line: line.span)) == 1_764_316_800_123)
    let other = Array(#"{"body":"x"}"#.utf8)
    #expect(Replay.arrival(try JSON(line: other.span)) == nil)
  }
}
