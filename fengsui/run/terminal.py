"""What a command prints, in the language of FENGSUI_LANG."""

import click

from stream.environment import spoken


def echo(said: object = "", *, err: bool = False) -> None:
    """A text, or whatever else, as a line on standard output, or on standard error."""
    click.echo(spoken(said), err=err)
