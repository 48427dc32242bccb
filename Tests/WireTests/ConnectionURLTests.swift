// Lists of URLs: a comma divides them only where another URL begins.
import Testing
import Wire

@Suite struct ConnectionURLTests {
  @Test func aListIsCutWhereAURLBegins() {
    #expect(ConnectionURL.list("amqp://a") == ["amqp://a"])
    #expect(ConnectionURL.list("amqp://a:1,amqps://b,amqp://c/v") == ["amqp://a:1", "amqps://b", "amqp://c/v"])
    #expect(ConnectionURL.list("amqp://me:pass,word@a,amqp://b") == ["amqp://me:pass,word@a", "amqp://b"])
    #expect(ConnectionURL.list("amqp://a,b") == ["amqp://a,b"])
    #expect(ConnectionURL.list("") == [""])
  }
}
