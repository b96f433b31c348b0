"""What rules are made of: rings of time, hysteresis, thresholds, the engine of window rules. A change here
is a change of every rule: hold it against the benches and the exactness tests."""
