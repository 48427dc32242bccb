/// The methods that code names: class << 16 | method, as the four octets in front of a method's fields read.
package enum MethodID {
  /// The class of every content header.
  package static let basicClass: UInt32 = 60

  package static let connectionStart: UInt32 = 0x000a_000a
  package static let connectionStartOK: UInt32 = 0x000a_000b
  package static let connectionSecure: UInt32 = 0x000a_0014
  package static let connectionSecureOK: UInt32 = 0x000a_0015
  package static let connectionTune: UInt32 = 0x000a_001e
  package static let connectionTuneOK: UInt32 = 0x000a_001f
  package static let connectionOpen: UInt32 = 0x000a_0028
  package static let connectionOpenOK: UInt32 = 0x000a_0029
  package static let connectionClose: UInt32 = 0x000a_0032
  package static let connectionCloseOK: UInt32 = 0x000a_0033
  package static let connectionBlocked: UInt32 = 0x000a_003c
  package static let connectionUnblocked: UInt32 = 0x000a_003d
  package static let connectionUpdateSecret: UInt32 = 0x000a_0046
  package static let connectionUpdateSecretOK: UInt32 = 0x000a_0047

  package static let channelOpen: UInt32 = 0x0014_000a
  package static let channelOpenOK: UInt32 = 0x0014_000b
  package static let channelFlow: UInt32 = 0x0014_0014
  package static let channelFlowOK: UInt32 = 0x0014_0015
  package static let channelClose: UInt32 = 0x0014_0028
  package static let channelCloseOK: UInt32 = 0x0014_0029

  package static let exchangeDeclare: UInt32 = 0x0028_000a
  package static let exchangeDeclareOK: UInt32 = 0x0028_000b
  package static let exchangeDelete: UInt32 = 0x0028_0014
  package static let exchangeDeleteOK: UInt32 = 0x0028_0015
  package static let exchangeBind: UInt32 = 0x0028_001e
  package static let exchangeBindOK: UInt32 = 0x0028_001f
  package static let exchangeUnbind: UInt32 = 0x0028_0028
  package static let exchangeUnbindOK: UInt32 = 0x0028_0033

  package static let queueDeclare: UInt32 = 0x0032_000a
  package static let queueDeclareOK: UInt32 = 0x0032_000b
  package static let queueBind: UInt32 = 0x0032_0014
  package static let queueBindOK: UInt32 = 0x0032_0015
  package static let queueUnbind: UInt32 = 0x0032_0032
  package static let queueUnbindOK: UInt32 = 0x0032_0033
  package static let queuePurge: UInt32 = 0x0032_001e
  package static let queuePurgeOK: UInt32 = 0x0032_001f
  package static let queueDelete: UInt32 = 0x0032_0028
  package static let queueDeleteOK: UInt32 = 0x0032_0029

  package static let basicQos: UInt32 = 0x003c_000a
  package static let basicQosOK: UInt32 = 0x003c_000b
  package static let basicConsume: UInt32 = 0x003c_0014
  package static let basicConsumeOK: UInt32 = 0x003c_0015
  package static let basicCancel: UInt32 = 0x003c_001e
  package static let basicCancelOK: UInt32 = 0x003c_001f
  package static let basicPublish: UInt32 = 0x003c_0028
  package static let basicReturn: UInt32 = 0x003c_0032
  package static let basicDeliver: UInt32 = 0x003c_003c
  package static let basicGet: UInt32 = 0x003c_0046
  package static let basicGetOK: UInt32 = 0x003c_0047
  package static let basicGetEmpty: UInt32 = 0x003c_0048
  package static let basicAck: UInt32 = 0x003c_0050
  package static let basicReject: UInt32 = 0x003c_005a
  package static let basicRecoverAsync: UInt32 = 0x003c_0064
  package static let basicRecover: UInt32 = 0x003c_006e
  package static let basicRecoverOK: UInt32 = 0x003c_006f
  package static let basicNack: UInt32 = 0x003c_0078

  package static let txSelect: UInt32 = 0x005a_000a
  package static let txSelectOK: UInt32 = 0x005a_000b
  package static let txCommit: UInt32 = 0x005a_0014
  package static let txCommitOK: UInt32 = 0x005a_0015
  package static let txRollback: UInt32 = 0x005a_001e
  package static let txRollbackOK: UInt32 = 0x005a_001f

  package static let confirmSelect: UInt32 = 0x0055_000a
  package static let confirmSelectOK: UInt32 = 0x0055_000b
}
