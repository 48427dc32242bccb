/// Serial numbers of 32 bits that wrap (RFC 1982): delivery-id, transfer-id and delivery-count of AMQP 1.0.
extension UInt32 {
  /// How far `self` is ahead of `other`, negative when behind; meaningful within half of the circle.
  @inline(__always) func ahead(of other: UInt32) -> Int { Int(Int32(bitPattern: self &- other)) }
}
