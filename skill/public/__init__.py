"""What may be shown to anybody: protocols that were fixed before the test, and what came of each."""

from pathlib import Path

PROTOCOLS = Path(__file__).parent / "protocols.toml"
