"""The contract: Avro schemas, frozen event types, codec and framing."""
