"""A storm on real servers with every process killed again and again, and a long soak: `fengsui bench kills` and
`soak`. `plan.py` says what strikes when, `promises.py` what must hold of what is left."""
