import Testing

@testable import Console

private let commands = [
  CommandSpec(
    name: "put", summary: "", synopsis: [""], positionals: [],
    groups: [
      OptionGroup(
        "All",
        [
          .flag("help", short: "h", "help"), .flag("version", short: "V", "version"),
          .flag("lines", short: "l", aliases: ["line-buffered"], "lines"), .flag("null", short: "0", "null"),
          .flag("durable", "d"), .flag("transient", "t"),
          .value("count", short: "c", "N", kind: .count, standard: .value("7"), "count"),
          .value("body", short: "b", "BODY", kind: .bytes, repeatable: true, "body"),
          .value("file", "FILE", kind: .bytes, repeatable: true, "file"),
          .value("timeout", short: "t", "DUR", kind: .duration, hint: "-t is the time limit", "time limit"),
          .value("user", "NAME", environment: "TOOL_USER", "user"),
          .value("url", short: "u", "URL", environment: "TOOL_URL", secrecy: .url, "url"),
          .value("token", "T", kind: .count, secrecy: .secret, "token"),
          .value("mode", "MODE", kind: .choice(["fast", "slow"]), "mode"),
          .optional("trace", short: "T", "FORM", kind: .choice(["line", "tree"]), implied: "line", "trace"),
        ])
    ],
    environment: [EnvironmentSpec("TOOL_PASSWORD", "password")],
    habits: [.init("-m", "a body is -b BODY"), .init("--topic", "it is an argument")],
    urlPositional: .init(prefixes: ["amqp://"], option: "url")),
  CommandSpec(
    name: "get", summary: "", synopsis: [""], afterDashes: .handler,
    groups: [OptionGroup("All", [.flag("help", short: "h", "help"), .flag("drain", "drain")])]),
]

/// A program of its own, so that these cases don't change with the real tables.
private let tool = Program(
  name: "tool", version: "1", date: "2026-01-01", summary: "", description: [],
  commandNames: ["put", "get"], command: { name in commands.first { $0.name == name } },
  options: [], examples: [], environment: [], seeAlso: [])

private func request(_ arguments: [String], _ environment: [String: String] = [:]) throws(Failure) -> Request {
  try Parser(tool, environment: { environment[$0] }).parse(arguments)
}

private func parse(_ arguments: String..., environment: [String: String] = [:]) throws -> ParsedArguments {
  guard case .run(let parsed) = try request(arguments, environment) else {
    throw Failure("not a run", exitCode: .failure)
  }
  return parsed
}

private func failure(_ arguments: String..., environment: [String: String] = [:]) -> Failure? {
  do throws(Failure) {
    _ = try request(arguments, environment)
    return nil
  } catch { return error }
}

private func text(_ bytes: [[UInt8]]) -> [String] { bytes.map { String(decoding: $0, as: UTF8.self) } }

@Suite struct ParserTests {
  @Test(arguments: [["-c5"], ["-c", "5"], ["--count=5"], ["--count", "5"], ["-lc5"], ["-l0c", "5"], ["-c1", "-c5"]])
  func valueForms(_ arguments: [String]) throws {
    guard case .run(let parsed) = try request(["put"] + arguments) else { throw Failure("no run", exitCode: .failure) }
    #expect(parsed.count("count") == 5)
    #expect(parsed.positionals.isEmpty)
  }

  @Test func clusters() throws {
    let parsed = try parse("put", "-l0", "-Tl")
    #expect(parsed.flag("lines") && parsed.flag("null"))
    #expect(parsed.value("trace") == "line")
  }

  @Test func optionalValuesOnlyFollowEquals() throws {
    let parsed = try parse("put", "--trace", "tree")
    #expect(parsed.value("trace") == "line")
    #expect(text(parsed.positionals) == ["tree"])
    #expect(try parse("put", "--trace=tree").value("trace") == "tree")
    #expect(try parse("put").value("trace") == nil)
  }

  @Test func optionsStandAnywhereUntilDashes() throws {
    let parsed = try parse("put", "a", "-l", "-", "", "--", "-c", "--", "amqp://x")
    #expect(parsed.flag("lines"))
    #expect(text(parsed.positionals) == ["a", "-", "", "-c", "--", "amqp://x"])
    #expect(parsed.handler == nil)
  }

  @Test func valuesMayLookLikeOptions() throws {
    let parsed = try parse("put", "-b", "--lines", "-b--", "--body=--count=3", "--body=")
    #expect(text(parsed.byteValues("body")) == ["--lines", "--", "--count=3", ""])
    #expect(!parsed.flag("lines"))
  }

  @Test func handlerTakesTheRestAsItIs() throws {
    let parsed = try parse("get", "q", "--", "jq", "-r", "--", ".x")
    #expect(text(parsed.handler ?? []) == ["jq", "-r", "--", ".x"])
    #expect(text(parsed.positionals) == ["q"])
    #expect(try parse("get", "--").handler == [])
  }

  @Test func bodiesKeepTheirOrder() throws {
    let parsed = try parse("put", "one", "-b", "two", "-l", "--file", "three", "four")
    #expect(text(parsed.inOrder(["body", "file"]).map(\.bytes)) == ["one", "two", "three", "four"])
  }

  @Test func bodiesAreOctets() throws {
    let arguments: [[UInt8]] = [Array("put".utf8), [0xFF, 0x41], Array("-b".utf8) + [0xFE]]
    guard case .run(let parsed) = try Parser(tool, environment: { _ in nil }).parse(arguments) else {
      throw Failure("no run", exitCode: .failure)
    }
    #expect(parsed.inOrder(["body"]).map(\.bytes) == [[0xFF, 0x41], [0xFE]])
  }

  @Test func theLastOneWins() throws {
    #expect(try parse("put", "--durable", "--transient").last(of: ["durable", "transient"]) == "transient")
    #expect(try parse("put", "--transient", "--durable").last(of: ["durable", "transient"]) == "durable")
    #expect(try parse("put").last(of: ["durable", "transient"]) == nil)
  }

  @Test func optionComesBeforeEnvironmentBeforeDefault() throws {
    let environment = ["TOOL_USER": "eve", "TOOL_URL": ""]
    let parsed = try parse("put", environment: environment)
    #expect(parsed.value("user") == "eve")
    #expect(parsed.source("user") == .environment("TOOL_USER"))
    #expect(parsed.value("url") == nil, "an empty variable is not set")
    #expect(parsed.count("count") == 7)
    #expect(parsed.source("count") == .standard)
    #expect(!parsed.flag("count"))
    let typed = try parse("put", "--user", "ann", environment: environment)
    #expect(typed.value("user") == "ann")
    #expect(typed.source("user") == .arguments(spelling: "--user"))
    #expect(try parse("put", "--user=", environment: environment).value("user") == "", "an empty option is set")
  }

  @Test func commandsOwnVariables() throws {
    #expect(try parse("put", environment: ["TOOL_PASSWORD": ""]).environment("TOOL_PASSWORD") == "")
    #expect(try parse("put").environment("TOOL_PASSWORD") == nil)
  }

  @Test func aliasesWorkAndKeepTheRealName() throws {
    #expect(try parse("put", "--line-buffered").flag("lines"))
  }

  @Test func urlPositional() throws {
    let parsed = try parse("put", "q", "amqp://h", environment: ["TOOL_URL": "amqp://other"])
    #expect(parsed.value("url") == "amqp://h")
    #expect(text(parsed.positionals) == ["q"])
    #expect(failure("put", "-u", "amqp://h", "amqp://u:secret@x")?.what == "two URLs")
    #expect(failure("put", "amqp://h", "amqp://x")?.why == "both are arguments")
    #expect(try parse("put", "-u", "amqp://a", "-u", "amqp://b").value("url") == "amqp://b")
  }

  @Test func helpAndVersionEndTheReading() throws {
    func name(_ arguments: String...) throws -> String {
      switch try request(arguments) {
      case .nothing: "nothing"
      case .help(let command, .short): "short \(command?.name ?? "")"
      case .help(let command, .long): "long \(command?.name ?? "")"
      case .version: "version"
      case .run: "run"
      }
    }
    #expect(try name() == "nothing")
    #expect(try name("-h") == "short ")
    #expect(try name("--help") == "long ")
    #expect(try name("--version") == "version")
    #expect(try name("put", "-h", "--bogus") == "short put")
    #expect(try name("put", "q", "--help") == "long put")
    #expect(try name("put", "-lh") == "short put")
    #expect(try name("put", "-V") == "version")
    #expect(try name("put", "--", "-h") == "run")
  }

  typealias Refusal = (arguments: [String], message: String, nextStep: String?)
  static let refusals: [Refusal] = [
    (["put", "--cuont", "5"], "unknown option --cuont", "did you mean --count?"),
    (["put", "--cou=5"], "unknown option --cou", "did you mean --count?"),
    (["put", "-count", "5"], "-c 'ount': expected a count of 1 or more, like 10, 5k or 2m", nil),
    (["put", "-line"], "-l", nil),
    (["put", "-m", "x"], "unknown option -m", "a body is -b BODY"),
    (["put", "--topic=x"], "unknown option --topic", "it is an argument"),
    (["put", "-lz"], "unknown option -z in '-lz'", nil),
    (["put", "-é"], "unknown option -é", nil),
    (["put", "--lines=yes"], "--lines: takes no value", nil),
    (["put", "--count"], "--count: needs a value, N", nil),
    (["put", "-t"], "-t: needs a value, DUR", "-t is the time limit"),
    (["put", "-t", "topic"], "-t 'topic': expected a duration like 500ms, 10s, 2m or 1h", "-t is the time limit"),
    (["put", "--mode", "fats"], "--mode 'fats': expected fast or slow", "did you mean 'fast'?"),
    (["put", "--token", "hunter2"], "--token: expected a count of 1 or more, like 10, 5k or 2m", nil),
    (["putt"], "unknown command 'putt'", "did you mean 'tool put'?"),
    (["-c", "5", "put"], "no command given: options come after it", "tool put -c …"),
    (["amqp://u:hunter2@h", "put"], "no command given: a URL comes after it", "'tool help' lists the commands"),
    (["--bogus"], "unknown option '--bogus'", "'tool help' lists the commands"),
  ]

  @Test(arguments: refusals) func failures(_ refusal: Refusal) throws {
    let (arguments, message, nextStep) = refusal
    do throws(Failure) {
      _ = try request(arguments)
      Issue.record("no failure")
    } catch {
      let text = error.why.isEmpty ? error.what : "\(error.what): \(error.why)"
      if message == "-l" { #expect(text.hasPrefix("unknown option"), "\(text)") } else { #expect(text == message) }
      if let nextStep { #expect(error.nextStep == nextStep) }
      #expect(error.exitCode == .usage)
      #expect(!"\(error)".contains("hunter2"))
    }
  }

  @Test func settingsNameTheirOriginAndMaskSecrets() throws {
    let parsed = try parse("put", "-l", "-u", "amqp://u:pw@h", "--token", "5", environment: ["TOOL_USER": "eve"])
    #expect(
      parsed.settings(showSecrets: false) == [
        "--lines (-l)", "--count 7 (default)", "--user eve (TOOL_USER)", "--url amqp://u:***@h (-u)", "--token ***",
      ])
    #expect(parsed.settings(showSecrets: true).contains("--url amqp://u:pw@h (-u)"))
  }

  @Test(arguments: [
    ("amqp://u:pw@h/v", "amqp://u:***@h/v"), ("amqp://h", "amqp://h"), ("amqp://u@h", "amqp://u@h"),
    ("amqp://u:p@w:x@h", "amqp://u:***@h"), ("amqp://u:p/w@h", "amqp://u:***@h"),
    ("amqp://a:1@h,amqp://b:2@i", "amqp://a:***@h,amqp://b:***@i"), ("amqp://:pw@h", "amqp://:***@h"),
  ]) func masking(_ url: String, _ masked: String) {
    #expect(Secrets.masked(url: url) == masked)
  }
}

@Suite struct SuggestionTests {
  @Test(arguments: [
    ("sned", "send"), ("recieve", "receive"), ("cuont", "count"), ("time", "timeout"), ("heart-beat", "heartbeat"),
  ]) func near(_ typed: String, _ meant: String) {
    let names = ["send", "receive", "help", "count", "timeout", "heartbeat", "container-id"]
    #expect(Suggestion.nearest(to: typed, among: names) == meant)
  }

  @Test(arguments: ["", "x", "frobnicate", "zend-all-things"]) func nothingNear(_ typed: String) {
    #expect(Suggestion.nearest(to: typed, among: ["send", "receive", "count"]) == nil)
  }

  @Test func distances() {
    func distance(_ a: String, _ b: String) -> Int { Suggestion.distance(Array(a.utf8), Array(b.utf8)) }
    #expect(distance("", "abc") == 3)
    #expect(distance("abc", "") == 3)
    #expect(distance("kitten", "sitting") == 3)
    #expect(distance("ab", "ba") == 1)
  }
}
