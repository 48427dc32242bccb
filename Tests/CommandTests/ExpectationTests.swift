// `--expect`: what is taken, what is said of what isn't, and what holds of which report.
import Render
import Testing
import Wire

@testable import amqp

@Suite struct ExpectationTests {
  /// A report as JSON, in the words of this file.
  private static let report: JSON = {
    let text = """
      {"version":"3.10.8","ok":true,"product":"RabbitMQ","speaks":["1-0-sasl","0-9-1"],"mechanisms":[],
       "tls":{"days-left":12,"chain":[{"subject":"CN=a"},{"subject":"CN=b"}]},
       "amqp-1-0":{"properties":{"with.dot":7}},"rtt":{"median-ms":0.250},
       "nodes":[{"name":"orders","exists":true,"messages":18446744073709551615,"type":"quorum"},
                {"name":"other","exists":false,"messages":0}]}
      """
    return try! JSONReader.read(Array(text.utf8).span)
  }()

  static let holding = [
    "version >= 3", "version>=3.10", "version < 3.10.9", "version > 3.9.30", "version = 3.10.8", "version != 3.10",
    "version = 3.10.8.0", "version > 3.10.8-rc.1", "product = RabbitMQ", "product = 'RabbitMQ'",
    "product contains Rabbit", "ok",
    "ok = true", "speaks contains 0-9-1", "speaks = 1-0-sasl,0-9-1", "tls.days-left <= 12", "tls.days-left == 12",
    "  tls.days-left   >=   12  ", "tls.chain.1.subject = CN=b", "amqp-1-0.properties.with.dot = 7",
    "rtt.median-ms < 0.3", "rtt.median-ms < 1e3", "tls contains days-left", "queue.messages >= 0", "node.name",
    "queue.exists != maybe",
  ]

  @Test(arguments: holding) func holds(_ text: String) throws {
    #expect(try Expectation(text).faults(in: ExpectationTests.report) == [])
  }

  static let failing: [(String, [String])] = [
    ("version >= 4", ["'version' is 3.10.8"]),
    ("tls.days-left > 14", ["'tls.days-left' is 12"]),
    ("tls.days-lef > 14", ["'tls.days-lef' is not known; 'tls.days-left' is"]),
    ("platform", ["'platform' is not known"]),
    ("mechanisms", ["'mechanisms' is empty"]),
    ("mechanisms contains PLAIN", ["'mechanisms' is empty"]),
    ("product > 4", ["'product' is RabbitMQ, which '>' can't compare with '4'"]),
    ("speaks > 1", ["'speaks' is 1-0-sasl,0-9-1, which '>' can't compare with '1'"]),
    ("ok contains x", ["'ok' is true, which 'contains' can't compare with 'x'"]),
    ("queue.messages < 1000", ["'messages' of 'orders' is 18446744073709551615"]),
    ("queue.messages > 18446744073709551614", ["'messages' of 'other' is 0"]),
    ("queue.exists", ["'exists' of 'other' is false"]),
    ("queue.type = classic", ["'type' of 'orders' is quorum", "'type' of 'other' is not known"]),
    (
      "queue.message = 0",
      ["'message' of 'orders' is not known; 'messages' is", "'message' of 'other' is not known; 'messages' is"]
    ),
  ]

  @Test(arguments: failing) func doesNotHold(_ text: String, _ faults: [String]) throws {
    #expect(try Expectation(text).faults(in: ExpectationTests.report) == faults)
  }

  static let refused: [(String, String)] = [
    ("", "it is empty"),
    ("< 5", "it begins with no key; KEY OP VALUE such as 'version >= 4'"),
    ("versoin >= 4", "there is no key 'versoin', did you mean 'version'?"),
    ("banana", "there is no key 'banana'"),
    ("queue", "queue wants a key behind it, such as queue.messages"),
    ("tls..ms < 5", "there is an empty name in 'tls..ms'"),
    ("version", ""),
    ("version 4", "expected <, <=, >, >=, =, != or contains behind 'version', got '4'"),
    ("version => 4", "there is no operator '=>'"),
    ("version <", "'<' wants a value behind it"),
    ("version < four", "'<' compares numbers and versions, and 'four' is neither"),
    ("product = 'Rabbit", "the quote of the value is not closed"),
    ("speaks containsx", "expected a blank behind contains"),
    ("speaks contains", "'contains' wants a value behind it"),
  ]

  @Test(arguments: refused) func isRefused(_ text: String, _ reason: String) {
    var said = ""
    do throws(TextFault) { _ = try Expectation(text) } catch { said = error.reason }
    #expect(said == reason)
  }

  @Test func existenceIsAsked() throws {
    #expect(try Expectation("queue.exists = false").isAboutExistence)
    #expect(try !Expectation("queue.messages = 0").isAboutExistence)
  }

  /// In order, each before the next.
  @Test func versionsHaveAnOrder() {
    let texts = ["3", "3.9", "3.10.0-alpha", "3.10.0-rc.2", "3.10.0-rc.10", "3.10", "3.10.1", "4.0.5", "4.0.5.1", "10"]
    let versions = texts.map { Version($0)! }
    for (i, a) in versions.enumerated() {
      for (j, b) in versions.enumerated() {
        #expect(a.order(to: b).signum() == (i - j).signum(), "\(texts[i]) \(texts[j])")
      }
    }
    #expect(Version("4.1+git.5")!.order(to: Version("4.1.0")!) == 0)
    for text in ["", "v4", "4.", "4..1", "four", "-1"] { #expect(Version(text) == nil) }
  }
}
