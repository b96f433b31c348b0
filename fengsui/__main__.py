"""`python -m fengsui`."""

from fengsui.cli import main

main()
