// The status line and the statistics, from counts and times alone.
import Bytes
import Testing

@testable import amqp

@Suite struct ProgressTests {
  private let second: Int64 = 1_000_000_000

  @Test func nothingWithinTheFirstSecondThenAFewTimesASecond() {
    var meter = ProgressMeter(started: 0, interval: second / 4)
    var asked = 0
    func line(_ now: Int64) -> String? {
      meter.line(now: now) {
        asked += 1
        return ProgressMeter.State(done: 1_000, inFlight: 1_234, goal: .unknown)
      }
    }
    #expect(line(second - 1) == nil && asked == 0)
    #expect(line(second) == "1,000 messages, 1,000/s, 1,234 in flight, 0:01")
    #expect(line(second + second / 4 - 1) == nil && asked == 1)
    #expect(line(second + second / 4) != nil)
  }

  @Test func theRateIsOfTheLastSeconds() {
    var meter = ProgressMeter(started: 0, interval: second)
    var last: String?
    for i: Int64 in 1...20 {
      // Ten a second, and nothing more after ten seconds.
      last = meter.line(now: i * second) {
        ProgressMeter.State(done: Int(min(i, 10)) * 10, inFlight: 0, goal: .count(200))
      }
      if i == 10 { #expect(last == "100 of 200 messages, 10/s, 0 in flight, 0:10, 0:10 left") }
    }
    #expect(last == "100 of 200 messages, 0/s, 0 in flight, 0:20")
  }

  @Test(arguments: [
    (ProgressMeter.Goal.duration(90_000_000_000), "1:28 left"), (.input(10, of: 40), "0:06 left"),
    (.count(300), "0:04 left"), (.count(7_300), "2:00 left"), (.count(720_100), "3:20:00 left"),
  ]) func whatIsLeft(_ goal: ProgressMeter.Goal, _ left: String) throws {
    var meter = ProgressMeter(started: 0, interval: second)
    let line = meter.line(now: 2 * second) { ProgressMeter.State(done: 100, inFlight: 0, goal: goal) }
    let text = try #require(line)
    // Fifty a second and more.
    if case .count(let n) = goal, n > 1_000 {
      #expect(text.hasSuffix(n == 7_300 ? "2:24 left" : "4:00:00 left"), "\(text)")
    } else {
      #expect(text.hasSuffix(left), "\(text)")
    }
  }

  @Test func statisticsAsText() {
    var times = Histogram()
    for i: Int64 in 1...100 { times.add(i * 100_000) }
    times.add(30_000_000)
    var q = ByteQueue()
    Statistics(.text, started: 0).append(
      101, octets: 1_010, [("accepted", 101), ("rejected", 0)], .init(what: "from sending to the answer", times: times),
      now: 2 * second, to: &q)
    let lines = String(decoding: q.bytes, as: UTF8.self).split(separator: "\n")
    #expect(lines[0] == "101 messages, 1010 octets in 2.000 s, 50 messages/s, 101 accepted")
    #expect(lines[1].hasPrefix("from sending to the answer: p50 5.") && lines[1].hasSuffix("max 30 ms"), "\(lines[1])")
    #expect(lines[2].hasPrefix("  <= 200 us  #"), "\(lines[2])")
    #expect(lines.count == 10 && lines[9].contains("<= 50 ms") && lines[9].hasSuffix(" 1"), "\(lines)")
    let rows = lines.dropFirst(2).map { Int($0.split(separator: " ").last ?? "") ?? 0 }
    #expect(rows.reduce(0, +) == 101)
    #expect(lines.dropFirst(2).map { $0.filter { $0 == "#" }.count }.max() == 40)
  }

  @Test func statisticsAsJSON() {
    var times = Histogram()
    times.add(1_500_000)
    var q = ByteQueue()
    Statistics(.json, started: 0).append(
      1, octets: 5, [("accepted", 1)], .init(what: "", times: times), now: second, to: &q)
    #expect(
      String(decoding: q.bytes, as: UTF8.self)
        == #"{"messages":1,"octets":5,"seconds":1.000,"rate":1,"accepted":1,"latency":{"unit":"ms","count":1,"p50":1.500,"p90":1.500,"p99":1.500,"max":1.500,"histogram":[[2.000,1]]}}"#
        + "\n")
  }
}
