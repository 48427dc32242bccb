// What a client announced, for scripts: one JSON object when it is gone.
import Render
import Wire

enum ClientJSON {
  static func object(_ report: ClientReport) -> JSON {
    JSONObject { o in
      o.add("client", report.peer)
      o.add("time", report.time / 1_000_000)
      o.add("header", report.header)
      if let tls = report.tls {
        o.add("tls") {
          $0.add("version", tls.version)
          $0.add("cipher", tls.cipher)
          $0.add("certificate", report.certificate)
        }
      }
      o.add("mechanism", report.mechanism)
      o.add("user", report.user)
      o.add("product", report.product)
      o.add("version", report.version)
      o.add("container-id", report.containerID)
      o.add("hostname", report.hostname)
      o.add("frame-size", report.frameSize.map { Int64($0) })
      o.add("channels", report.channels.map { Int64($0) })
      o.add("idle-time-out-ms", report.idleTimeOut.map { Int64($0) })
      if !report.offeredCapabilities.isEmpty { o.add("offered-capabilities", report.offeredCapabilities) }
      if !report.desiredCapabilities.isEmpty { o.add("desired-capabilities", report.desiredCapabilities) }
      if !report.properties.isNull { o.add("properties", JSON(plain: report.properties)) }
      o.add("did", JSON.array(report.deeds.map(deed)))
      o.add("messages", Int64(report.messages))
      o.add("octets", Int64(report.octets))
      o.add("end", report.end)
    }.json
  }

  private static func deed(_ deed: ClientReport.Deed) -> JSON {
    JSONObject { o in
      o.add("what", deed.what)
      for (name, value) in deed.fields { o.add(name, JSON(plain: value)) }
    }.json
  }
}
