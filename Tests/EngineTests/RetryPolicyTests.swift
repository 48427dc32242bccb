// When and whom `RetryPolicy` has dialled: time and dice are the test's.
import Testing

@testable import Engine

@Suite struct RetryPolicyTests {
  private static let second: Instant = 1_000_000_000

  private func limits(wait: Instant = 0, reconnects: Int? = 0) -> RetryPolicy.Limits {
    var limits = RetryPolicy.Limits()
    (limits.wait, limits.reconnects) = (wait, reconnects)
    return limits
  }

  /// Every attempt fails at once: when each was, and to whom.
  private func attempts(
    _ policy: inout RetryPolicy, from start: Instant, random: UInt64, atMost: Int = 100
  ) -> [(at: Instant, place: Int)] {
    var all = [(start, policy.place)]
    var now = start
    while all.count < atMost, case .dial(let at) = policy.failed(now: now, random: random) {
      now = at
      all.append((at, policy.place))
    }
    return all
  }

  @Test func withoutWaitingEveryPeerIsCalledOnce() {
    var policy = RetryPolicy(places: 3, limits(), now: 7)
    let all = attempts(&policy, from: 7, random: 0)
    #expect(all.map(\.place) == [0, 1, 2])
    #expect(all.allSatisfy { $0.at == 7 }, "one after the other, without a pause")
    #expect(policy.attempts == 3)
  }

  /// Whatever the dice say: five attempts in two seconds, the last of them at the very end.
  @Test(arguments: [0, 40_000_000, 80_000_000, UInt64.max]) func waitingTriesUntilTheEnd(_ random: UInt64) {
    var policy = RetryPolicy(places: 1, limits(wait: 2 * Self.second), now: 0)
    let all = attempts(&policy, from: 0, random: random)
    #expect(all.count == 5 && policy.attempts == 5)
    #expect(all.last?.at == 2 * Self.second)
    let pauses = zip(all, all.dropFirst()).map { $1.at - $0.at }
    for (pause, whole) in zip(pauses.dropLast(), [200, 400, 800]) {
      #expect(((Int64(whole) * 800_000)...(Int64(whole) * 1_200_000)).contains(pause))
    }
  }

  @Test func aListIsGoneThroughBetweenPauses() {
    var policy = RetryPolicy(places: 2, limits(wait: Self.second), now: 0)
    let all = attempts(&policy, from: 0, random: 0)
    #expect(all.map(\.place) == Array(all.indices).map { $0 % 2 })
    #expect(all[0].at == all[1].at && all[2].at == all[3].at && all[2].at > all[1].at)
  }

  @Test func aSilentPeerHasNoLongerThanTheWait() {
    let policy = RetryPolicy(places: 1, limits(wait: 3 * Self.second), now: 0)
    #expect(policy.deadline(now: 0, limit: 10 * Self.second) == 3 * Self.second)
    #expect(policy.deadline(now: 3 * Self.second, limit: 10 * Self.second) == 4 * Self.second, "the last attempt")
    let patient = RetryPolicy(places: 1, limits(), now: 0)
    #expect(patient.deadline(now: 5, limit: 10 * Self.second) == 10 * Self.second + 5)
  }

  @Test func withoutReconnectingALossIsTheEnd() {
    var policy = RetryPolicy(places: 2, limits(wait: 60 * Self.second), now: 0)
    policy.connected()
    policy.progressed()
    #expect(policy.lost(now: 1, random: 0) == .giveUp)
  }

  @Test func pausesGrowToTheirBound() {
    var policy = RetryPolicy(places: 1, limits(reconnects: nil), now: 0)
    policy.connected()
    guard case .dial(let first) = policy.lost(now: 0, random: 0) else { return #expect(Bool(false)) }
    #expect(first == RetryPolicy.shortest * 4 / 5)
    let all = attempts(&policy, from: first, random: 0, atMost: 12)
    let pauses = zip(all, all.dropFirst()).map { $1.at - $0.at }
    #expect(pauses == pauses.sorted() && pauses.last == RetryPolicy.longest * 4 / 5)
  }

  @Test func soManyAttemptsInARowAndNoMore() {
    var policy = RetryPolicy(places: 1, limits(reconnects: 3), now: 0)
    policy.connected()
    #expect(policy.lost(now: 0, random: 0) != .giveUp)
    #expect(policy.failed(now: 0, random: 0) != .giveUp)
    #expect(policy.failed(now: 0, random: 0) != .giveUp)
    #expect(policy.failed(now: 0, random: 0) == .giveUp)
    #expect(policy.attempts == 3)
  }

  /// A peer that takes connections and drops them is no better than one that takes none.
  @Test func onlyAConnectionOfUseStartsTheCountAgain() {
    var policy = RetryPolicy(places: 1, limits(reconnects: 3), now: 0)
    policy.connected()
    policy.progressed()
    for _ in 0..<3 {
      #expect(policy.lost(now: 0, random: 0) != .giveUp)
      policy.connected()
    }
    #expect(policy.lost(now: 0, random: 0) == .giveUp)

    policy = RetryPolicy(places: 1, limits(reconnects: 3), now: 0)
    for _ in 0..<10 {
      policy.connected()
      policy.progressed()
      #expect(policy.lost(now: 0, random: 0) != .giveUp)
    }
  }

  /// The peer that was lost is called first, then the next of the list.
  @Test func theSamePeerFirst() {
    var policy = RetryPolicy(places: 3, limits(reconnects: nil), now: 0)
    _ = policy.failed(now: 0, random: 0)
    policy.connected()
    #expect(policy.place == 1)
    _ = policy.lost(now: 0, random: 0)
    let all = attempts(&policy, from: 0, random: 0, atMost: 5)
    #expect(all.map(\.place) == [1, 2, 0, 1, 2])
  }
}
