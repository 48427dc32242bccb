// What `--declare` takes, and what it comes to.
import Testing
import Wire

@testable import amqp

@Suite struct DeclareOptionsTests {
  private static func queue(_ name: String, _ change: (inout Declaration.Queue) -> Void = { _ in }) -> Declaration {
    var queue = Declaration.Queue(name)
    change(&queue)
    return .queue(queue)
  }

  static let taken: [(String, Declaration)] = [
    ("queue:orders", queue("orders")),
    ("queue:a%3Ab%2Cc", queue("a:b,c")),
    (
      "queue:q,type=quorum,x-max-length=5,x-overflow=reject-publish,x-flag=true,x-text:string=5",
      queue("q") {
        $0.arguments = [
          .init(.string("x-queue-type"), .string("quorum")), .init(.string("x-max-length"), .long(5)),
          .init(.string("x-overflow"), .string("reject-publish")), .init(.string("x-flag"), .boolean(true)),
          .init(.string("x-text"), .string("5")),
        ]
      }
    ),
    ("queue:q,transient,auto-delete", queue("q") { ($0.isDurable, $0.isAutoDelete) = (false, true) }),
    ("queue:q,exclusive", queue("q") { ($0.isDurable, $0.isExclusive) = (false, true) }),
    ("queue:q,passive", queue("q") { $0.isPassive = true }),
    (
      "exchange:e,type=topic,internal,alternate-exchange=other",
      {
        var exchange = Declaration.Exchange("e")
        (exchange.type, exchange.isInternal) = ("topic", true)
        exchange.arguments = [.init(.string("alternate-exchange"), .string("other"))]
        return .exchange(exchange)
      }()
    ),
    (
      "bind:e:q,key=a.%23",
      {
        var binding = Declaration.Binding("e", to: .queue("q"))
        binding.key = "a.#"
        return .bind(binding)
      }()
    ),
    (
      "bind:e:exchange:f,x-match=any,n:int=5",
      {
        var binding = Declaration.Binding("e", to: .exchange("f"))
        binding.arguments = [.init(.string("x-match"), .string("any")), .init(.string("n"), .int(5))]
        return .bind(binding)
      }()
    ),
  ]
  @Test(arguments: taken.indices) func specs(_ i: Int) throws {
    let (text, declaration) = Self.taken[i]
    #expect(try DeclareOptions.declaration(text) == declaration)
  }

  @Test(arguments: [
    ("orders", "expected queue:NAME"), ("queue:", "expected a name for the queue"),
    ("queue:a:b", "expected queue:NAME"),
    ("queue:q,durable", "expected type=, transient"), ("queue:q,type", "expected type="),
    ("queue:%zz", "expected percent-encoded"), ("bind:e", "expected queue:NAME"), ("bind::q", "expected a name"),
    ("bind:e:q,key", "expected NAME=VALUE"), ("queue:q,x-n:int=many", "expected an int"),
    ("exchange:e,exclusive", "expected type=, transient"),
  ])
  func refusals(_ text: String, _ reason: String) {
    let fault = #expect(throws: TextFault.self) { try DeclareOptions.declaration(text) }
    #expect(fault?.reason.hasPrefix(reason) == true, "\(fault?.reason ?? "")")
  }

  @Test func spelled() {
    #expect(DeclareOptions.spelled("orders.new") == "orders.new")
    #expect(DeclareOptions.spelled("a:b,c%") == "a%3Ab%2Cc%25")
  }
}
