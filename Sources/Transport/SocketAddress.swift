// An IPv4 or IPv6 address with its port, in the kernel's form.
internal import Glibc

package struct SocketAddress: Sendable, CustomStringConvertible {
  private var storage = sockaddr_storage()
  private(set) var length = socklen_t(MemoryLayout<sockaddr_storage>.size)

  var family: Int32 { Int32(storage.ss_family) }

  /// Copies what getaddrinfo, accept or getsockname has filled in.
  init(copying address: UnsafePointer<sockaddr>, length: socklen_t) {
    self.length = min(length, self.length)
    unsafe withUnsafeMutableBytes(of: &storage) { storage in
      unsafe storage.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(self.length)))
    }
  }

  /// What `fill` puts there; nil when it answers other than 0.
  init?(_ fill: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32) {
    let result = unsafe withUnsafeMutablePointer(to: &storage) { storage in
      unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe fill($0, &length) }
    }
    if result != 0 { return nil }
  }

  /// `192.0.2.1` or `::1`; nil for a name. An address with a zone (`fe80::1%eth0`) is left to the resolver.
  init?(numeric host: String, port: UInt16) {
    var four = sockaddr_in()
    var six = sockaddr_in6()
    if unsafe inet_pton(AF_INET, host, &four.sin_addr) == 1 {
      four.sin_family = sa_family_t(AF_INET)
      four.sin_port = port.bigEndian
      unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: four, as: sockaddr_in.self) }
      length = socklen_t(MemoryLayout<sockaddr_in>.size)
    } else if unsafe inet_pton(AF_INET6, host, &six.sin6_addr) == 1 {
      six.sin6_family = sa_family_t(AF_INET6)
      six.sin6_port = port.bigEndian
      unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: six, as: sockaddr_in6.self) }
      length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    } else {
      return nil
    }
  }

  func withPointer<R>(_ body: (UnsafePointer<sockaddr>) -> R) -> R {
    unsafe withUnsafePointer(to: storage) { storage in
      unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0) }
    }
  }

  /// Its numeric host and its port; an address without them (a Unix socket) is shown as `local`, port 0.
  package var endpoint: Endpoint {
    unsafe withUnsafeBytes(of: storage) { storage in
      unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
        let port: UInt16
        let written: UnsafePointer<CChar>?
        switch family {
        case AF_INET:
          var four = unsafe storage.load(as: sockaddr_in.self)
          port = UInt16(bigEndian: four.sin_port)
          unsafe written = inet_ntop(AF_INET, &four.sin_addr, text.baseAddress, socklen_t(text.count))
        case AF_INET6:
          var six = unsafe storage.load(as: sockaddr_in6.self)
          port = UInt16(bigEndian: six.sin6_port)
          unsafe written = inet_ntop(AF_INET6, &six.sin6_addr, text.baseAddress, socklen_t(text.count))
        default:
          return Endpoint(host: "local", port: 0)
        }
        guard let written = unsafe written else { return Endpoint(host: "local", port: port) }
        return unsafe Endpoint(host: String(cString: written), port: port)
      }
    }
  }

  package var description: String { endpoint.description }

  /// The 4 or 16 octets of the address, in network order; nil for one that is none of a network.
  package var octets: [UInt8]? {
    let place: (offset: Int?, count: Int)
    switch family {
    case AF_INET: place = (MemoryLayout<sockaddr_in>.offset(of: \.sin_addr), 4)
    case AF_INET6: place = (MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr), 16)
    default: return nil
    }
    guard let offset = place.offset else { return nil }
    return unsafe withUnsafeBytes(of: storage) { unsafe Array($0[offset..<offset + place.count]) }
  }

  /// 127.0.0.0/8 and ::1.
  package var isLoopback: Bool {
    let host = endpoint.host
    return host.hasPrefix("127.") || host == "::1" || host == "local" || host.hasPrefix("::ffff:127.")
  }

  /// Loopback, link-local, RFC 1918 and RFC 4193, and whatever is no address of a network: nobody else's wires lie between.
  package var isNearby: Bool {
    unsafe withUnsafeBytes(of: storage) { storage in
      switch family {
      case AF_INET:
        return SocketAddress.isNearby(UInt32(bigEndian: unsafe storage.load(as: sockaddr_in.self).sin_addr.s_addr))
      case AF_INET6:
        let start = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr)!
        let octets = (0..<16).map { unsafe storage[start + $0] }
        if octets[..<10].allSatisfy({ $0 == 0 }) && octets[10] == 0xff && octets[11] == 0xff {
          return SocketAddress.isNearby(octets[12...].reduce(0) { $0 << 8 | UInt32($1) })
        }
        let isLoopback = octets[..<15].allSatisfy { $0 == 0 } && octets[15] == 1
        return isLoopback || octets[0] & 0xfe == 0xfc || octets[0] == 0xfe && octets[1] & 0xc0 == 0x80
      default: return true
      }
    }
  }

  private static func isNearby(_ four: UInt32) -> Bool {
    let blocks: [(network: UInt32, bits: UInt32)] = [
      (0x7f00_0000, 8), (0x0a00_0000, 8), (0xac10_0000, 12), (0xc0a8_0000, 16), (0xa9fe_0000, 16),
    ]
    return blocks.contains { four >> (32 - $0.bits) == $0.network >> (32 - $0.bits) }
  }
}
