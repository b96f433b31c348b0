"""In which order several processes take the tests: what takes long begins first, so that no process
waits at the end for one that has just begun a whole storm, or the longest of the unit tests.

pytest-xdist (`--dist worksteal`) gives each process an equal share of the list, and who is done takes from
the end of another's. So the share of each begins with the files that take long, those that need servers, a
browser or a whole line and the heavy ones of the tier unit, dealt out by how long they take, and short tests
stand behind them. A file stays together: what it has set up for all its tests is set up once.
"""

import gc
from collections.abc import Sequence
from itertools import groupby
from typing import TypeVar

import pytest

from tests.support.tiers import tier_of

T = TypeVar("T")
# about how many seconds a test takes of a tier whose tests take long
_LONG = {"storm": 20, "servers": 3, "browser": 2}
# of the tier unit the files that take more than three seconds of CPU, and how many: one file in ten
# takes half of what the tier takes. One that stood last, as the tidy checks did, would be waited for by every
# core but its own. Measured in November 2026; a figure that is out of date costs time and nothing else
# of the other tiers the files that take far longer than their tests are many, in seconds until they end
SLOW = {
    "tests/console/door/test_console_load.py": 50,
    "tests/dispatch/channels/sip/test_to_the_superior.py": 75,
    "tests/fengsui/files/test_backup.py": 250,
    "tests/fengsui/test_drill.py": 90,
    "tests/ingest/waveform/test_geophones.py": 60,
    "tests/servers/test_kafka_faults.py": 160,
    "tests/servers/test_kills.py": 160,
    "tests/storms/test_foreign.py": 120,
    "tests/storms/test_poison_line.py": 70,
    "tests/storms/test_storm.py": 260,
}
HEAVY = {
    "tests/config/test_backdrop.py": 3,
    "tests/config/test_config.py": 8,
    "tests/contracts/test_http_doors.py": 8,
    "tests/contracts/test_log_contract.py": 5,
    "tests/detectors/camera/test_camera_detect.py": 6,
    "tests/detectors/camera/test_camera_front.py": 9,
    "tests/detectors/camera/test_camera_staff.py": 7,
    "tests/detectors/memory/test_pieces.py": 12,
    "tests/detectors/quality/test_infill.py": 12,
    "tests/detectors/quality/test_undercatch.py": 4,
    "tests/detectors/rules/test_kinds.py": 6,
    "tests/detectors/rules/test_unseen_level.py": 7,
    "tests/detectors/test_bench_detect.py": 13,
    "tests/detectors/test_detect.py": 18,
    "tests/detectors/test_dry.py": 4,
    "tests/detectors/test_moveout.py": 4,
    "tests/detectors/test_rules.py": 6,
    "tests/dispatch/channels/platform/test_door.py": 5,
    "tests/dispatch/words/test_text.py": 5,
    "tests/dispatch/words/test_words.py": 9,
    "tests/dispatch/words/test_words_by_hazard.py": 5,
    "tests/fengsui/doctor/test_faults.py": 4,
    "tests/fengsui/inquiry/test_lock.py": 6,
    "tests/fengsui/inquiry/test_pack.py": 4,
    "tests/fengsui/test_explain.py": 10,
    "tests/fengsui/test_gully.py": 5,
    "tests/fengsui/test_start.py": 8,
    "tests/fengsui/test_vouched.py": 4,
    "tests/ingest/test_bad_input.py": 14,
    "tests/ingest/test_photo.py": 4,
    "tests/ingest/weather/test_bufr.py": 7,
    "tests/simulators/test_simulators.py": 4,
    "tests/skill/test_hindcast.py": 19,
    "tests/skill/test_joint_rules.py": 8,
    "tests/skill/test_series_skill.py": 20,
    "tests/skill/test_table_skill.py": 9,
    "tests/skill/test_table_transfer.py": 7,
    "tests/stream/test_begin.py": 5,
    "tests/stream/test_runner.py": 10,
    "tests/tidy/test_chinese_first.py": 4,
    "tests/tidy/test_one_language.py": 4,
    "tests/tidy/test_tidy.py": 6,
}


def dealt(files: Sequence[tuple[Sequence[T], int]], workers: int) -> list[T]:
    """files: the tests of each, and how long they take together (0: short). Gives all tests, in the shares
    that `--dist worksteal` makes of the list."""
    many = sum(len(tests) for tests, _ in files)
    long: list[tuple[int, list[T]]] = [(0, []) for _ in range(workers)]
    for tests, weight in sorted((f for f in files if f[1]), key=lambda f: -f[1]):
        least = min(range(workers), key=lambda n: long[n][0])
        long[least] = long[least][0] + weight, [*long[least][1], *tests]
    short = [test for tests, weight in files if not weight for test in tests]
    found: list[T] = []
    for n, (_, head) in enumerate(long):
        room = max(0, (many - len(found)) // (workers - n) - len(head))
        found += [*head, *short[:room]]
        del short[:room]
    return found + short


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers > 1:
        files = [list(tests) for _, tests in groupby(items, key=lambda item: item.path)]
        items[:] = dealt([(f, _weight(f)) for f in files], workers)


def _weight(tests: Sequence[pytest.Item]) -> int:
    """How many seconds the tests of one file take together, 0: few."""
    found = sum(_LONG.get(item.stash[tier_of], 0) for item in tests)
    file = tests[0].nodeid.partition("::")[0]
    return max(found, HEAVY.get(file, 0), SLOW.get(file, 0) if found else 0)


def pytest_collection_finish() -> None:
    """What all test files have loaded stays: no collection of garbage looks through it again. What a test
    makes is looked through once in 20,000 objects, not in 700: one that takes a source file apart makes
    millions, and half its time went there."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)
