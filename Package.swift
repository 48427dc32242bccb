// swift-tools-version: 6.2
// The layers of `amqp`, lowest first: a target may import only those above it here. The protocol layers are compiled
// without a path to the operating system, so "no I/O in the protocol" is a compile error and not a promise.
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
]
/// `import Glibc` and `import Foundation` in these targets fail with "no such module".
let pure: [SwiftSetting] =
  strict + [
    .unsafeFlags([
      "-module-alias", "Glibc=IO_is_forbidden_in_the_protocol",
      "-module-alias", "Foundation=Foundation_is_forbidden_in_the_protocol",
      "-module-alias", "FoundationEssentials=FoundationEssentials_is_forbidden_in_the_protocol",
      "-module-alias", "Dispatch=Dispatch_is_forbidden_in_the_protocol",
    ])
  ]

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies + ["Support"], swiftSettings: testing)
}
let testing: [SwiftSetting] = [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]

let package = Package(
  name: "amqp",
  targets: [
    .target(name: "Bytes", swiftSettings: pure),
    .target(name: "Wire", dependencies: ["Bytes"], swiftSettings: pure),
    .target(name: "Capture", dependencies: ["Bytes"], swiftSettings: pure),
    .target(name: "Analysis", dependencies: ["Bytes", "Wire"], swiftSettings: pure),
    .target(name: "Engine", dependencies: ["Bytes", "Wire"], swiftSettings: pure),
    .target(name: "Render", dependencies: ["Bytes", "Wire"], swiftSettings: pure),
    .target(name: "Transport", dependencies: ["Bytes"], swiftSettings: strict),
    .target(name: "Runtime", dependencies: ["Bytes", "Wire", "Engine", "Transport"], swiftSettings: strict),
    .target(name: "Console", swiftSettings: strict),
    .executableTarget(
      name: "amqp",
      dependencies: [
        "Bytes", "Wire", "Capture", "Analysis", "Engine", "Transport", "Runtime", "Render", "Console",
      ],
      exclude: ["Linking"],
      // Tests run with the checks of exclusive access; here, where the hot paths hold their state in objects, they were a
      // tenth of what decode does.
      swiftSettings: strict + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))],
      // Start-up is mostly relocation and the search for symbols: no position-independent code, libstdc++ from its archive
      // (the folder holds a linker script of that name), and nothing exported: the runtime searches what is, one by one.
      linkerSettings: [
        .unsafeFlags(
          [
            "-Xclang-linker", "-no-pie", "-Xclang-linker", "-static-libgcc",
            "-L\(Context.packageDirectory)/Sources/amqp/Linking",
            "-Xlinker", "--version-script=\(Context.packageDirectory)/Sources/amqp/Linking/exports",
          ],
          .when(configuration: .release))
      ]),

    .target(
      name: "Support", dependencies: ["Bytes", "Wire", "Engine", "Capture"], path: "Tests/Support",
      swiftSettings: testing),
    tests("BytesTests", ["Bytes"]),
    tests("WireTests", ["Bytes", "Wire"]),
    tests("CaptureTests", ["Bytes", "Capture"]),
    tests("AnalysisTests", ["Bytes", "Wire", "Analysis"]),
    tests("EngineTests", ["Bytes", "Wire", "Engine", "Runtime"]),
    tests("RenderTests", ["Bytes", "Wire", "Render"]),
    tests("TransportTests", ["Bytes", "Transport"]),
    tests("ConsoleTests", ["Bytes", "Wire", "Render", "Console", "amqp"]),
    tests("CommandTests", ["Bytes", "Wire", "Engine", "Runtime", "Render", "Transport", "amqp"]),
    tests("InteropTests", ["amqp"]),
  ]
)

// libFuzzer targets, built and run by Tests/Fuzz/run only: they want every layer instrumented.
if Context.environment["AMQP_FUZZ"] == "1" {
  func fuzz(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
      name: name, dependencies: dependencies + ["Support"], path: "Tests/Fuzz", sources: ["\(name).swift"],
      swiftSettings: testing + [.unsafeFlags(["-parse-as-library"])], linkerSettings: [.unsafeFlags(["-use-ld=lld"])])
  }
  package.targets += [
    .target(
      name: "Dialogue", dependencies: ["Bytes", "Wire", "Engine"], path: "Tests/Fuzz/Dialogue", swiftSettings: testing),
    fuzz("FuzzCapture", ["Bytes", "Capture"]),
    fuzz("FuzzDissector", ["Bytes", "Wire"]),
    fuzz("FuzzFrameJSON", ["Bytes", "Wire", "Analysis", "Render"]),
    fuzz("FuzzInitiator", ["Dialogue", "Engine"]),
    fuzz("FuzzInitiator091", ["Dialogue", "Engine"]),
    fuzz("FuzzAcceptor", ["Dialogue", "Engine"]),
    fuzz("FuzzAcceptor091", ["Dialogue", "Engine"]),
  ]
}
