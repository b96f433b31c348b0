"""What the commands share: the options before a command's name, as its object, and the options that
many commands have."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

import click

from config.language import Said, Text
from config.load import ConfigError, load
from config.read.problem import Problem
from config.records.district import District
from fengsui.run.setup import Setup, make_setup
from stream.environment import Usage, spoken

RUN = click.option(
    "--run",
    "run_name",
    default="live",
    show_default=True,
    help=spoken(Text("运行名", "the run's name")),
)
WAIT = click.option(
    "--wait",
    "wait_s",
    type=float,
    default=10.0,
    show_default=True,
    help=spoken(Text("等答复的秒数", "seconds to wait for an answer")),
)
BEFORE_START = click.option(
    "--before-start",
    is_flag=True,
    help=spoken(Text("这个演练还没有启动过", "of an exercise that has never been started")),
)
KEY = click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="FENGSUI_OFFICER_KEY",
    help=spoken(
        Text(
            "本人的钥匙，用 fengsui signer make 造",
            "the officer's own key, made by fengsui signer make",
        )
    ),
)


def _wrong(district: District) -> list[Problem]:
    from fengsui.status.checked_district import wrong  # brings every rule and every channel

    return wrong(district)


class Urls(TypedDict):
    """The servers that were named; "": where the environment or the district says."""

    broker: str
    log: str
    history: str


class Shared:
    """The district's folder, the folder of the runs and the servers, as they were named."""

    def __init__(self, config: Path, state: Path, broker: str, log: str, history: str) -> None:
        self.config = config
        self.state = state
        self._judged: District | None = None
        self.urls = Urls(broker=broker, log=log, history=history)

    def district(self) -> District:
        """The district as whoever starts a stage must find it: rules, channels and words can be made.
        Read once. Raises ConfigError."""
        if self._judged is None:
            from fengsui.status.checked_district import (
                load_district,  # brings every rule and every channel
            )

            self._judged = load_district(self.config)
        return self._judged

    def setup(self, run: str, **more: object) -> Setup:
        """A run of that district. Raises ConfigError and Usage."""
        return make_setup(self.district(), run, self.state, **self.urls, **more)  # type: ignore[arg-type]

    def worker(self, run: str, **more: object) -> Setup:
        """The same for a process that stays and works a part of the line: it does not keep what judging
        takes. Raises ConfigError and Usage."""
        from stream.stages.apart import apart

        district = load(self.config)
        if found := apart(_wrong, district):
            raise ConfigError(self.config, found)
        return make_setup(district, run, self.state, **self.urls, **more)  # type: ignore[arg-type]

    def reader(self, run: str) -> Setup:
        """The same for a command that starts nothing but looks at a run, or hands something in: of the
        district the tables alone, since its stages have judged the rest. Raises ConfigError and
        Usage."""
        return make_setup(load(self.config), run, self.state, **self.urls)

    def existing(self, run: str) -> Setup:
        """The same of an exercise that there is: a mistyped name makes no folder. Raises as `reader`."""
        return self._begun(run)

    def existing_judged(self, run: str) -> Setup:
        """The same of a district that is judged as a stage's is. Raises as `setup`."""
        self.existing(run)
        return replace(self.setup(run), begun=True)

    def beforehand(self, run: str, *, before_start: bool) -> Setup:
        """The same for what may be set up before an exercise's first start: of one that there is, or, by a
        word of its own, of one that is still to come. Raises as `reader`."""
        later = Text(
            "；要在它第一次启动以前先做，加 --before-start",
            "; before its first start add --before-start",
        )
        return self.reader(run) if before_start else self._begun(run, later)

    def _begun(self, run: str, otherwise: Said = "") -> Setup:
        """otherwise: what to do where there is none."""
        setup = self.reader(run)
        if not self._is_there(setup):
            raise Usage(self._no(run) + otherwise)
        return replace(setup, begun=True)

    def _is_there(self, setup: Setup) -> bool:
        """Raises Usage where a server has its log and says that it has not."""
        if setup.live or setup.folder.exists() or os.environ.get("FENGSUI_CONTACTS"):
            return True
        if setup.log.startswith("sqlite:"):
            return False
        from fengsui.run.run_log import open_run_log
        from stream.log.port import Unavailable

        with suppress(Unavailable):  # what cannot be asked is not refused
            open_run_log(replace(setup, begun=True)).close()
        return True

    def _no(self, run: str) -> Text:
        there = sorted(p.name for p in self.state.glob("exercise*") if p.is_dir())
        named = Text("、".join(there) or "没有", ", ".join(there) or "none")
        return (
            Text(
                f"没有运行 {run}，{self.state} 里的演练：",
                f"no run {run}, exercises in {self.state}: ",
            )
            + named
        )
