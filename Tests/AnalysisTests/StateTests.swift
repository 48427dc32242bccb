import Testing

@testable import Analysis

@Suite struct DeliveryRingTests {
  private func delivery(_ link: Int32 = 0) -> OpenDelivery {
    OpenDelivery(time: 5, link: link, isOpen: true, isAnswered: false)
  }

  private func add(_ ring: inout DeliveryRing, _ n: UInt64) {
    let isNew = ring.add(n, delivery())
    #expect(isNew)
  }

  private func refuse(_ ring: inout DeliveryRing, _ n: UInt64) {
    let isNew = ring.add(n, delivery())
    #expect(!isNew)
  }

  @Test func settledFromBothEnds() {
    var ring = DeliveryRing()
    for n: UInt64 in 100..<300 { add(&ring, n) }
    refuse(&ring, 150)
    refuse(&ring, 99)
    ring.settle(299)
    ring.settle(100)
    #expect(ring.base == 101)
    #expect(ring.meeting(0...(.max)) == 101..<300)
    for n: UInt64 in 101..<299 { ring.settle(n) }
    #expect(ring.open == 0)
    #expect(ring.meeting(0...(.max)).isEmpty)
    add(&ring, 7)
  }

  @Test func bounded() {
    var ring = DeliveryRing()
    for n: UInt64 in 0..<200_000 { add(&ring, n) }
    #expect(ring.open == DeliveryRing.bound)
    #expect(ring.forgotten == 200_000 - DeliveryRing.bound)
    add(&ring, 1 << 40)
    #expect(ring.open == 1)
    add(&ring, (1 << 40) + 70_000)
    #expect(ring.open == 1 && ring.span <= DeliveryRing.bound)
  }
}
