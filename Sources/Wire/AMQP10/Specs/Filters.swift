/// Filters that brokers agreed on: the AMQP filter registry's (Apache), the filter expressions draft (OASIS) and
/// RabbitMQ's stream filters, which have a name and no numeric code.
extension CompositeSpec {
  static let filters: [CompositeSpec] = [
    CompositeSpec(
      "legacy-amqp-direct-binding", "apache.org:legacy-amqp-direct-binding:string", 0x0000_468c_0000_0000, .string,
      provides: .filter),
    CompositeSpec(
      "legacy-amqp-topic-binding", "apache.org:legacy-amqp-topic-binding:string", 0x0000_468c_0000_0001, .string,
      provides: .filter),
    CompositeSpec(
      "legacy-amqp-headers-binding", "apache.org:legacy-amqp-headers-binding:map", 0x0000_468c_0000_0002, .map,
      provides: .filter),
    CompositeSpec(
      "no-local-filter", "apache.org:no-local-filter:list", 0x0000_468c_0000_0003, .list, provides: .filter),
    CompositeSpec(
      "selector-filter", "apache.org:selector-filter:string", 0x0000_468c_0000_0004, .string, provides: .filter),
    CompositeSpec("sql-filter", "amqp:sql-filter", 0x120, .string, provides: .filter),
    CompositeSpec("properties-filter", "amqp:properties-filter", 0x173, .map, provides: .filter),
    CompositeSpec(
      "application-properties-filter", "amqp:application-properties-filter", 0x174, .map, provides: .filter),
    CompositeSpec("stream-offset-spec", "rabbitmq:stream-offset-spec", nil, .any, provides: .filter),
    CompositeSpec("stream-filter", "rabbitmq:stream-filter", nil, .any, provides: .filter),
    CompositeSpec("stream-match-unfiltered", "rabbitmq:stream-match-unfiltered", nil, .boolean, provides: .filter),
  ]
}
