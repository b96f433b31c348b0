"""The durable log: its port, and the adapters for SQLite, Kafka and, for simulations, memory."""
