"""The tier of every test, told from what it needs, and what a test of the tier unit may not do.

unit: nothing but Python. servers: a program that is not Python, such as Kafka, InfluxDB, mosquitto, an
SMSC, xmlsec1. browser: Chromium. storm: a whole line at work, `fengsui run`. A test has exactly one:
the mark that stands at it, else that of its folder, else that of the fixtures it asks for, else unit.

A test of the tier unit finds no program but Python, whatever the machine has: what it starts is not there.
It fails if the product or a test asked; a library that asks for an optional program (matplotlib: fc-list, at
its first use on a machine) goes on without, here as on a bare machine.
"""

import errno
import os
import sys
import sysconfig
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

TIERS = ("unit", "servers", "browser", "storm")
FOLDERS = {"storms": "storm", "servers": "servers"}
FIXTURES = {
    **dict.fromkeys(("storm", "storm_out", "storm_modes", "whole", "drilled"), "storm"),
    **dict.fromkeys(("browser", "here"), "browser"),
    **dict.fromkeys(("kafka_server", "influx_server", "mosquitto", "hooks"), "servers"),
    **dict.fromkeys(("npm_smsc", "jsmpp", "kannel", "gotify"), "servers"),
    **dict.fromkeys(("phone", "trunk_to_phone", "smsd"), "servers"),
}
tier_of = pytest.StashKey[str]()
collected = pytest.StashKey[list[pytest.Item]]()
_now: list[str] = []  # the tier of the test at work
started: list[str] = []  # what it has started that its tier has not
_STDLIB = sysconfig.get_path("stdlib")
_before: set[threading.Thread] = set()  # left by other tests: what they start is theirs


def _tier(item: pytest.Item) -> str:
    here = {m.name for m in item.iter_markers()} & set(TIERS)
    asked = getattr(item, "fixturenames", ())
    here = here or {t for folder, t in FOLDERS.items() if folder in item.path.parts}
    here = here or {t for name, t in FIXTURES.items() if name in asked} or {"unit"}
    return max(here, key=TIERS.index)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        item.stash[tier_of] = tier = _tier(item)
        if item.get_closest_marker(tier) is None:
            item.add_marker(tier)
    config.stash[collected] = list(items)  # before `-m` takes any away


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many were run of each tier, here and in other processes; or collected, if none was."""
    reports = [
        r
        for outcome in ("passed", "failed", "error", "skipped")
        for r in terminalreporter.getreports(outcome)
        if isinstance(r, pytest.TestReport)
    ]
    of = {r.nodeid: t for r in reports for t in TIERS if t in r.keywords}
    here = terminalreporter.config.stash.get(collected, [])
    count = Counter(of.values()) or Counter(item.stash[tier_of] for item in here)
    terminalreporter.write_line("tiers: " + ", ".join(f"{tier} {count[tier]}" for tier in TIERS))


def _a_library_asks() -> bool:
    """Whether the innermost code beyond the standard library that is at work is an installed one's."""
    frame = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        if any(folder in path for folder in ("site-packages", "dist-packages")):
            return True
        if path != __file__ and not path.startswith((_STDLIB, "<frozen ")):
            return False
        frame = frame.f_back
    return False


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if event != "subprocess.Popen" or _now != ["unit"] or threading.current_thread() in _before:
        return
    program, words = os.fsdecode(str(arguments[0])), arguments[1]
    line = [str(w) for w in words] if isinstance(words, list | tuple) else [str(words)]
    if os.path.realpath(program) != os.path.realpath(sys.executable):
        if not _a_library_asks():
            started.append(program)
        raise FileNotFoundError(errno.ENOENT, "the tier unit has nothing but Python", program)
    if "--plain" in line:  # the screen of a line at work; a command that refuses needs none
        started.append("a whole line")


sys.addaudithook(_hear)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    _before.clear()
    _before.update(set(threading.enumerate()) - {threading.current_thread()})
    _now[:] = [item.stash[tier_of]]
    try:
        return (yield)
    finally:
        _now.clear()


def _no_more_than_its_tier() -> None:
    programs = ", ".join(sorted(set(started)))
    started.clear()
    if programs:
        pytest.fail(
            "a test of the tier unit needs nothing but Python, and this one started "
            f"{programs}: mark it (tests/support/tiers.py)"
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    result = yield
    _no_more_than_its_tier()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    result = yield
    _no_more_than_its_tier()
    return result
