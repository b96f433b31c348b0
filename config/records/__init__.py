"""One frozen record a table, and the words and units that all the rest uses. Pure; a new column has a
default, so that the folders of districts stay readable."""
