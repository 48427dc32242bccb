// What a broker of a test's own, or the network, has to be set up for to refuse: each has its sentence and its next step,
// whether a message is sent or the peer is only looked at.
import Foundation
import Testing

extension OwnBrokers {
  @Suite(.needs(.rabbitMQ4, .ownBroker), .serialized) struct RefusalTests {
    /// Sends, then looks; both have to fail with `status` and say all of `texts`.
    private func expect(
      _ status: Int32, _ texts: String..., url: String, node: String = "jobs", through cable: Cable? = nil
    ) throws {
      for words in [["send", node, "hello"], ["probe", node]] {
        let arguments = words + ["--protocol", "1.0", "-u", url]
        let run = try (cable?.start(arguments) ?? Program(Amqp.path, arguments)).finish()
        #expect(run.status == status, "\(words): \(run.status) \(run.errors)")
        for text in texts { #expect(run.errors.contains(text), "\(words): \(run.errors)") }
      }
    }

    /// This RabbitMQ 4 is configured to take addresses of version 2 only.
    @Test func addressesOfVersion1() throws {
      let broker = try OwnBroker("scratch")
      try broker.script("queue", "scratch", "declare", "jobs")
      try expect(67, "takes no addresses of version 1", "/queues/", url: broker.url, node: "/queue/jobs")
      // A name is no address of version 1 by the time that it is sent.
      let sent = try Amqp.run("send", "jobs", "hello", "--protocol", "1.0", url: broker.url)
      #expect(sent.status == 0, "\(sent.errors)")
    }

    @Test func thePluginIsOff() throws {
      let broker = try OwnBroker("scratch3")
      try broker.disable(plugin: "rabbitmq_amqp1_0")
      try expect(76, "the peer speaks AMQP 0-9-1", "rabbitmq-plugins enable rabbitmq_amqp1_0", url: broker.url)
    }

    /// The other end of the cable knows its own network and no other.
    @Test func noRoute() throws {
      try expect(69, "network is unreachable", "no way leads there", url: "amqp://10.99.80.1", through: Cable())
    }
  }
}
