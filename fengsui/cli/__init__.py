"""The command line: the table of commands, and one file a group, loaded when it is called. The command
line is nobody's library."""
