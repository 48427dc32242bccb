// Profiles: the file's form, what a key may be, what comes before what, and what is said when something is wrong.
import Console
import Testing

@testable import amqp

@Suite struct ProfileTests {
  private func parse(
    _ arguments: [String], _ text: String?, environment: [String: String] = [:], isExposed: Bool = false
  ) throws -> ParsedArguments {
    let parser = Parser(
      Commands.program, environment: { environment[$0] },
      profiles: { () throws(Failure) in
        try ProfileFile(path: "/c/config", content: text.map { Array($0.utf8) }, isExposed: isExposed)
      })
    guard case .run(let parsed) = try parser.parse(arguments) else { throw Missing() }
    return parsed
  }
  struct Missing: Error {}

  private func failure(_ arguments: [String], _ text: String?, environment: [String: String] = [:]) -> String {
    do {
      _ = try parse(arguments, text, environment: environment)
      return "no failure"
    } catch let failure as Failure {
      let next = failure.nextStep.map { "\n\($0)" } ?? ""
      return [failure.what, failure.why].filter { !$0.isEmpty }.joined(separator: ": ") + next
        + " (\(failure.exitCode.rawValue))"
    } catch {
      return "\(error)"
    }
  }

  private static let file = """
    # what I use
    [default]
    url = amqps://one.example
    [prod]
      url=amqps://two.example/v
    user =  me and you\u{20}
    password = a = b # c
    ; another remark
    heartbeat = 5s
    insecure = true
    durable = false
    declare = queue:a
    declare = queue:b
    drain = true
    trace =
    """

  @Test func valuesAndTheirSources() throws {
    let parsed = try parse(["send", "--profile", "prod", "q", "hello"], ProfileTests.file)
    #expect(parsed.value("url") == "amqps://two.example/v" && parsed.value("user") == "me and you")
    #expect(parsed.environment("AMQP_PASSWORD") == "a = b # c")
    #expect(parsed.nanoseconds("heartbeat") == 5_000_000_000 && parsed.flag("insecure") && !parsed.flag("durable"))
    #expect(parsed.values("declare") == ["queue:a", "queue:b"] && parsed.value("trace") == "line")
    #expect(parsed.source("url") == .profile("prod", key: "url") && parsed.spelling("url") == "url in [prod]")
    let settings = parsed.settings(showSecrets: false)
    #expect(settings.contains("--heartbeat 5s (profile prod)") && settings.contains("password *** (profile prod)"))
    #expect(parsed.settings(showSecrets: true).contains("password a = b # c (profile prod)"))
    #expect(parsed.positionals.count == 2 && parsed.warnings.isEmpty)
  }

  @Test func optionThenEnvironmentThenProfileThenDefault() throws {
    let environment = ["AMQP_PROFILE": "prod", "AMQP_USER": "env", "AMQP_PASSWORD": "env", "AMQP_URL": "amqp://env"]
    let parsed = try parse(
      ["send", "--user", "typed", "--declare", "queue:c", "q"], ProfileTests.file, environment: environment)
    #expect(parsed.value("user") == "typed" && parsed.value("url") == "amqp://env")
    #expect(parsed.environment("AMQP_PASSWORD") == "env" && parsed.values("declare") == ["queue:c"])
    #expect(parsed.nanoseconds("heartbeat") == 5_000_000_000 && parsed.nanoseconds("connect-timeout") == 10_000_000_000)
    #expect(parsed.settings(showSecrets: false).contains("password *** (AMQP_PASSWORD)"))
    let empty = try parse(
      ["send", "q"], ProfileTests.file, environment: ["AMQP_PROFILE": "prod", "AMQP_PASSWORD": ""])
    #expect(empty.environment("AMQP_PASSWORD") == "a = b # c")
  }

  /// [default] is for the peer that it names, and for no other.
  @Test func theDefaultSection() throws {
    #expect(try parse(["send", "q"], ProfileTests.file).value("url") == "amqps://one.example")
    #expect(try parse(["send", "amqp://x", "q"], ProfileTests.file).value("url") == "amqp://x")
    for words in [["receive", "--listen", "0"], ["receive", "amqp://x", "q"]] {
      #expect(try parse(words, "[default]\nuser = me\npassword = p").value("user") == nil)
    }
    #expect(try parse(["send", "q"], "[other]\nurl = amqp://x").source("url") == .standard)
    #expect(try parse(["send", "q"], nil).source("url") == .standard)
    // Decoding speaks with nobody.
    _ = try parse(["decode"], "[default]\nnonsense = 1")
  }

  @Test func secretsThatEverybodyMayRead() throws {
    #expect(try parse(["send", "q", "--profile", "prod"], ProfileTests.file, isExposed: true).warnings.count == 1)
    #expect(try parse(["send", "q"], ProfileTests.file, isExposed: true).warnings.isEmpty)
    let url = "[default]\nurl = amqp://u:p@x"
    #expect(try parse(["send", "q"], url, isExposed: true).warnings.first?.next == "chmod 600 /c/config")
    #expect(try parse(["send", "q"], url).warnings.isEmpty)
  }

  @Test(arguments: [
    (
      "[p]\nhartbeat = 1",
      "/c/config:2: hartbeat: no such setting; keys are long options without --\ndid you mean heartbeat? (64)"
    ),
    ("[p]\nheartbeat = soon", "/c/config:2: heartbeat 'soon': expected a duration like 500ms, 10s, 2m or 1h (64)"),
    ("[p]\nprofile = p", "/c/config:2: profile: no such setting; keys are long options without -- (64)"),
    ("[p]\n\ninsecure = yes", "/c/config:3: insecure: expected true or false (64)"),
    ("[p]\nuser = a\nuser = b", "/c/config:3: user: it is given in line 2 already (64)"),
    ("user = a\n[p]", "/c/config:1: user: expected a [NAME] before it (64)"),
    ("[p\nuser = a", "/c/config:1: expected [NAME] (64)"), ("[ ]", "/c/config:1: expected [NAME] (64)"),
    ("[p]\nhunter2", "/c/config:2: expected KEY = VALUE or [NAME] (64)"),
    ("[p]\n[q]\n[p]", "/c/config:3: [p] is there already (64)"),
    ("[alpha]\n[beta]", "no profile 'p' in /c/config\nthere are: alpha, beta (64)"),
    ("", "no profile 'p' in /c/config\nit has no [NAME] at all (64)"),
  ])
  func whatIsWrong(_ text: String, _ expected: String) {
    #expect(failure(["send", "--profile", "p", "q"], text) == expected)
  }

  @Test func aNameThatIsNearlyRight() {
    let said = failure(["send", "--profile", "prodd", "q"], ProfileTests.file)
    #expect(said == "no profile 'prodd' in /c/config\ndid you mean 'prod'? (64)")
  }

  @Test func noFile() {
    #expect(
      failure(["send", "q"], nil, environment: ["AMQP_PROFILE": "p"])
        == "no profile 'p': there is no /c/config\nit is a file with a section [p] (64)")
  }
}
