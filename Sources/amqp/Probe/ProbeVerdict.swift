// What a look at a peer comes to: all that is wrong with it, with the exit status of each, and whether to look again may help.
import Console
import Render

struct ProbeVerdict {
  /// The peer itself, then nodes, then conditions.
  private(set) var failures: [Failure] = []
  /// Conditions that don't hold, and why.
  private(set) var faults: [(condition: String, why: String)] = []
  /// To look again is of no use: a wrong password stays one.
  private(set) var isFinal = false

  init(_ report: ProbeReport, _ json: JSON, _ expectations: [Expectation]) {
    if let failure = report.failure {
      failures.append(failure)
      isFinal = ![.unreachable, .noSuchAddress, .failure].contains(failure.exitCode)
    }
    let existenceIsExpected = expectations.contains(where: \.isAboutExistence)
    for node in report.nodes {
      guard let failure = node.failure else { continue }
      if node.exists == false && existenceIsExpected { continue }
      // It is said already why nobody could look.
      if node.exists == nil && report.failure != nil { continue }
      failures.append(failure)
      if failure.exitCode == .refused { isFinal = true }
    }
    // A peer that was not reached has nothing to hold conditions against.
    if report.tcp == nil { return }
    for expectation in expectations {
      let whys = expectation.faults(in: json)
      faults += whys.map { (expectation.text, $0) }
      if !whys.isEmpty {
        failures.append(
          Failure(
            "'\(expectation.text)' does not hold at \(report.peer)", whys.joined(separator: ", "),
            exitCode: .notAccepted))
      }
    }
  }

  var isGood: Bool { failures.isEmpty }
  var status: ExitCode { failures.reduce(.success) { $0.combined(with: $1.exitCode) } }
}
