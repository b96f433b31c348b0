"""The command line: the table of commands, and one file a group, loaded when it is called. The command
line is nobody's library."""

from fengsui.cli.click_words import speak

speak()  # before any file of commands is loaded
