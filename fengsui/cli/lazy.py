"""A group of commands that knows their names and their help, and loads a command only when it is
called: so a program of fifty commands starts as fast as the one that is asked for."""

import inspect
import re
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from config.language import Text
from fengsui.cli.click_words import usage
from stream.environment import language, spoken

_SHORT = 30  # characters of choices that a usage line holds
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


class Entry(NamedTuple):
    """Where a command stands (`module:attribute`), and the first sentence of its help, which stands
    here too so that a list needs no command. tests/fengsui/test_start.py holds the two together."""

    place: str
    zh: str
    en: str


Sections = Mapping[Text, Mapping[str, Entry]]  # heading -> name -> entry, in the order of the help


def _find_benches() -> None:
    """Benches are in no wheel: they stand beside the package in the source tree, or nowhere.

    Raises click.ClickException where there are none."""
    tree = Path(__file__).parents[2]
    if not (tree / "bench" / "command.py").exists():
        raise click.ClickException(
            spoken(
                Text(
                    "测速只在源码目录里：git clone，然后 make、fengsui bench",
                    "benches stand in the source tree: git clone, then make and fengsui bench",
                )
            )
        )
    if str(tree) not in sys.path:
        sys.path.append(str(tree))


def in_one_language(command: click.Command) -> click.Command:
    """The same, and all that hang on it, with the help in the language of this terminal: a command's
    docstring says everything in Chinese and then in English, a paragraph each."""
    whole = inspect.cleandoc(getattr(command.callback, "__doc__", None) or "").split("\n\n")
    chinese = [p for p in whole if _CHINESE.search(p)]
    english = [p for p in whole if not _CHINESE.search(p)]
    if chinese and english:
        command.help = spoken(Text("\n\n".join(chinese), "\n\n".join(english)))
        if language() == "both":
            command.help = "\n\n".join(whole)
    for argument in command.params:
        _named(command, argument)
    command.options_metavar = usage(command.options_metavar or "")
    if isinstance(command, click.Group):
        command.subcommand_metavar = usage(command.subcommand_metavar)
    if isinstance(command, click.Group) and not isinstance(command, LazyGroup):
        for one in command.commands.values():
            in_one_language(one)
            one.short_help = _first_sentence(one)
    return command


def _first_sentence(command: click.Command) -> str:
    """What the list of a group says of a command: whole, where click would cut it at the line's end."""
    return command.get_short_help_str(10_000)


def _named(command: click.Command, argument: click.Parameter) -> None:
    """A choice of many stands under its name in the usage line, where click breaks its words anywhere, and
    whole in the help."""
    choices = getattr(argument.type, "choices", None)
    listed = ", ".join(map(str, choices or ()))
    if not isinstance(argument, click.Argument) or len(listed) <= _SHORT:
        return
    argument.metavar = (argument.name or "").upper()
    if listed not in (command.help or ""):
        command.help = f"{command.help or ''}\n\n{argument.metavar}: {listed}"


class LazyGroup(click.Group):
    """`commands` holds what is listed, `get_command` gives what is called."""

    def __init__(self, *args: Any, sections: Sections, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections = sections
        self._places = {name: e.place for named in sections.values() for name, e in named.items()}
        self.commands = {
            name: click.Command(name, help=spoken(Text(e.zh, e.en)))
            for named in sections.values()
            for name, e in named.items()
        }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(self.commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself; None where there is none of that name."""
        if cmd_name not in self._places:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self._places[cmd_name].partition(":")
        if module.startswith("bench."):
            _find_benches()
        found = getattr(import_module(module), attribute)
        assert isinstance(found, click.Command), self._places[cmd_name]
        return in_one_language(found)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list, section by section, in columns that stand below each other."""
        widest = max(map(len, self.commands))
        # of all commands a line each, told whole in docs/commands.md; of a group's whole here
        limit = formatter.width - 6 - widest if ctx.parent is None else 10_000
        for heading, named in self.sections.items():
            rows = [(n.ljust(widest), self.commands[n].get_short_help_str(limit)) for n in named]
            with formatter.section(spoken(heading)):
                formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names that begin so, and the group's own options."""
        names = [
            CompletionItem(name, help=listed.get_short_help_str())
            for name, listed in self.commands.items()
            if name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]
