"""The durable log: its port, and the adapters for SQLite and Kafka."""
