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

@Suite struct HistogramTests {
  @Test func percentiles() {
    var h = Histogram()
    for i: Int64 in 1...1000 { h.add(i * 1_000_000) }
    #expect(h.least == 1_000_000 && h.greatest == 1_000_000_000)
    for (thousandths, exact) in [(500, 500_000_000), (990, 990_000_000), (1000, 1_000_000_000)] as [(UInt64, Double)] {
      #expect(abs(Double(h.percentile(thousandths)) / exact - 1) < 0.07)
    }
    h.add(-5)
    h.add(.max)
    #expect(h.least == 0 && h.greatest == .max)
  }
}
