"""The chained account of what was decided and sent."""
