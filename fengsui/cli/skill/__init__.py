"""Commands on skill."""
