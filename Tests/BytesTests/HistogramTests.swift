import Bytes
import Testing

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

  @Test func countsBetweenBounds() {
    var h = Histogram()
    for v: Int64 in [1, 900, 1_000, 1_500, 5_000_000, 5_000_001, 2_000_000_000] { h.add(v) }
    let counts = h.counts([10, 1_024, 10_000, 10_000_000])
    #expect(counts == [1, 2, 1, 2, 1])
    #expect(Histogram().counts([1]) == [0, 0])
  }
}
