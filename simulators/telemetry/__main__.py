"""`python -m simulators.telemetry ADDRESS HOST:PORT`: one report of a station of SL 651."""

from simulators.telemetry.sl651 import main

main()
