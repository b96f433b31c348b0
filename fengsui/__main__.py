"""`python -m fengsui`."""

from fengsui.cli.root import main

if __name__ == "__main__":  # a process started beside this one reads this file too
    main()
