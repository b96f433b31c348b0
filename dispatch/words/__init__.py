"""The words of warnings: templates, headlines, lengths, times. Texts stand in `templates/`; no sentence of
a warning stands in code. Pure."""
