"""The storm machine (`fengsui storms`): the whole line in one process and one thread, in simulated time, with
everything round it drawn from a seed and failing by the same seed. Stages, runner and outbox are those of a
real line. `invariants.py` says what must hold whatever happens, `reached.py` what a campaign must have seen.
Whoever adds a fault adds a row in `plan.py` and what it should bring about in `reached.py`."""
