"""A drill (演练): a scenario through the whole line as `fengsui run` plays it, cut off from everything
real, watched for a real red, and assessed at its end.

What a drill is given: a broker of its own on loopback, a log, a history and keys in a new folder, a
district without carriers, neighbours' addresses or telephone numbers. Nothing of the live run's can
be named to it: it takes no --broker, and environment and district.toml are not looked at.
"""

import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import msgspec

from config.language import Said, Text, en, text_of, zh
from config.records.channels import Channels
from config.records.district import Contact, District
from config.records.level import Action, Level, hazard_words
from config.records.sources import NONE
from console.model.follow import Follower
from dispatch.grade import Grade
from dispatch.records import Alert
from fengsui.play import play
from fengsui.review.page import BROKEN_OFF, after_action
from fengsui.review.targets import read_plan
from fengsui.run.recipients import place
from fengsui.run.setup import Setup, make_setup
from fengsui.run.terminal import echo
from simulators.scenario import scenario
from stream.environment import Usage
from stream.log.open import open_log
from stream.pace.stop_signals import stopping_on_signals

_LOOK_S = 1.0


class DrillWish(NamedTuple):
    """What the director asks for. people: persons decide, as in a live run."""

    scenario: str
    run: str
    seed: int | None
    speed: float | None
    out: Path
    plan: Path | None
    people: bool
    plain: bool
    port: int


def cut_off(district: District, people: bool) -> District:
    """The district without a way to anybody: carriers, addresses of neighbours and contacts'
    numbers are not there, so no fault of ours can use them."""
    kept = ("retry_s", "voice_retry_s", "attempt_timeout_s", "played_within_s", "answer_within_s",
            "call_within_s", "not_woken_to", "reports_to")  # fmt: skip
    channels = Channels(**{name: getattr(district.channels, name) for name in kept})
    policy = district.policy
    if people:
        policy = msgspec.structs.replace(policy, exercise_releases=False)
    return msgspec.structs.replace(
        district,
        broker="",
        log="",
        history="",
        channels=channels,
        sources=NONE,
        policy=policy,
        contacts={key: _nobody(c) for key, c in district.contacts.items()},
    )


def _nobody(c: Contact) -> Contact:
    """The same person by id alone."""
    mark = f"drill-{c.id}"
    return msgspec.structs.replace(
        c,
        name=c.id,
        phone=mark if c.phone else "",
        app=mark if c.app else "",
        email=f"{mark}@invalid" if c.email else "",
    )


def setup_of(district: District, state: Path, wish: DrillWish, **more: object) -> Setup:
    """A run of its own in a folder that is new. Raises Usage for anything that is or was live."""
    if wish.run == "live":
        raise Usage(
            Text(
                "演练不能叫 live：--run exercise-NAME，或不写",
                "a drill is never the live run: --run exercise-NAME, or leave it away",
            )
        )
    here = f"sqlite:///{(state / wish.run).resolve()}"
    # all three are named, so that the environment's, which may be the live run's, are not looked at
    made = make_setup(
        district,
        wish.run,
        state,
        broker="mqtt://127.0.0.1",
        log=here,
        history=here,
        **more,  # type: ignore[arg-type]
    )
    if made.live:
        raise Usage(Text(f"{wish.run} 不是演练", f"{wish.run} is not an exercise"))
    for folder in (made.folder, place(made)):  # a contact store that is there may hold numbers
        if folder.exists() and any(folder.iterdir()):
            raise Usage(
                Text(
                    f"{folder}: 已有内容；演练须从空目录开始，自造钥匙：换一个 --run",
                    f"{folder}: is not empty: a drill begins in a new folder and makes its own "
                    "keys; give another --run",
                )
            )
    return replace(made, broker="")  # the embedded one


def drill(district: District, state: Path, wish: DrillWish) -> int:
    """Play, watch the live run, assess. 0: played to its end or broken off as the scenario says;
    1: something failed; 3: a real warning broke it off."""
    read_plan(wish.plan, district.folder)  # a wrong plan is told before the first minute
    try:
        chosen = scenario(wish.scenario)
    except ValueError as e:
        raise Usage(text_of(e)) from e
    apart = cut_off(district, wish.people)
    first = setup_of(apart, state, wish)  # refused before anything starts
    live = Live(district, state)
    if open_now := live.look():
        raise Usage(
            Text(
                f"实况有预警，不开始演练：{zh(open_now)}",
                f"a real warning is open, no drill now: {en(open_now)}",
            )
        )
    speed = wish.speed
    if speed is None and wish.people:
        speed = 1.0  # people are given the time that they have
    if district.log or os.environ.get("FENGSUI_LOG") or os.environ.get("FENGSUI_LOG_FILE"):
        echo(
            Text(
                "实况记录不在本机，这里看不到：有实况红色时请按 Ctrl-C 中止",
                "the live log is elsewhere and not watched: press Ctrl-C when a real red comes",
            ),
            err=True,
        )
    _invite(first, state, wish.people)
    stop = threading.Event()
    with stopping_on_signals(stop), live.watching(stop):
        code = play.run_storm(
            apart,
            lambda **more: setup_of(apart, state, wish, **more),
            wish.scenario,
            wish.seed,
            speed,
            until_done=True,
            out=wish.out,
            plain=wish.plain,
            port=wish.port,
            stop=stop,
        )
    why = _why_ended(live.real, chosen.broken_off_min)
    if why:
        (first.folder / BROKEN_OFF).write_bytes(msgspec.json.encode(why) + b"\n")
        echo(Text(f"演练中止：{zh(why)}", f"drill broken off: {en(why)}"))
    code = after_action(first, "", wish.out, wish.plan) or code
    return code or (3 if live.real else 0)


def _why_ended(real: Said, minute: int | None) -> Said:
    if real:
        return Text(f"发布了实况预警：{zh(real)}", f"a real warning: {en(real)}")
    if minute is not None:
        return Text(
            f"情景第 {minute} 分钟，导演宣布有实况红色预警；参演人员按实况行动",
            f"in minute {minute} the director announced a real red; everybody acts on the real one",
        )
    return ""


def _invite(setup: Setup, state: Path, people: bool) -> None:
    """How those who take part take part."""
    name = setup.run.name
    base = f"fengsui --state {state} --log '{setup.log}'"
    echo(Text(f"（演练）{name}，{setup.folder}", f"(DRILL) {name}, {setup.folder}"), err=True)
    if people:
        echo(
            Text("参演人员在另一终端决定：", "those who take part decide, in another terminal:"),
            err=True,
        )
        echo(f"  {base} decisions --run {name}", err=True)
        echo(
            Text("  ", "  ")
            + f"{base} order release flash_flood --all-waiting --by K-01 --reason "
            + Text("会商", "agreed")
            + f" --run {name}",
            err=True,
        )


class Live:
    """Looks, and only looks, at the warnings of the live run whose folder lies beside the drill's:
    its log is opened where it exists and nothing is written. `real` says what it found."""

    def __init__(self, district: District, state: Path) -> None:
        self._district = district
        self._folder = (state / "live").resolve()
        self._follower: Follower | None = None
        self._newest: dict[str, Alert] = {}
        self.real: Said = ""

    def look(self) -> Said:
        """The worst warning in force that stops a drill: a red, or an order to move now; or ""."""
        if self._follower is None:
            if not (self._folder / f"{self._district.id}.live.log.db").exists():
                return ""
            log = open_log(
                f"sqlite:///{self._folder}", "live", self._district.id, self._district.partitions
            )
            self._follower = Follower(log, ("alerts",))
        for _, record in self._follower.take():
            if isinstance(record, Alert):
                self._newest[record.id] = record
        for a in self._newest.values():
            over = a.msg_type == "cancel" or a.state == "expired"
            red = max(a.level, a.proposed_level) >= Level.RED
            move = max(a.action, a.proposed_action) >= Action.MOVE
            if not over and (red or move):
                grade = Grade(
                    Level.RED if red else Level.NONE, Action.MOVE if move else Action.NONE
                )
                what = hazard_words(a.hazard) + " " + grade.words(a.hazard)
                return f"{a.id}/{a.version} {a.area} " + what
        return ""

    def watching(self, stop: threading.Event) -> "_Watching":
        """While a drill lasts; sets `stop` when a real warning comes."""
        return _Watching(self, stop)


class _Watching:
    def __init__(self, live: Live, stop: threading.Event) -> None:
        self._live, self._stop = live, stop
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="live-watch", daemon=True)

    def _work(self) -> None:
        while not self._over.wait(_LOOK_S):
            if found := self._live.look():
                self._live.real = found
                echo(
                    Text(
                        f"\n*** 实况预警：{zh(found)} ***\n*** 演练中止，按实况行动 ***",
                        f"\n*** REAL WARNING: {en(found)} ***\n*** the drill is broken off, act on the "
                        "real one ***",
                    ),
                    err=True,
                )
                self._stop.set()
                return

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join(timeout=10)
