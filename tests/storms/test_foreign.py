"""Foreign bytes in every topic: each stage keeps them aside by name and goes on, and everything that
a person asks is answered as before."""

import json
from collections import Counter
from pathlib import Path

from fengsui.files.restore import restore
from stream.log.port import Log, Out
from tests.support.backups import (
    DISTRICT,
    Recording,
    at,
    contents,
    fengsui,
    line,
    lines,
    opened,
    settle,
)

FOREIGN = (
    b"\xff\x00 not text",
    b"",
    b"[]",
    b'{"type":"alert"}',
    b'{"type":"observations","group":7}',
    b'{"type":"of another version"}',
    b'{"type":"tick","clock_at":"noon"}',
    b"1" * 5_000_000,
)
READERS = {"observations": "detect", "cases": "decide", "alerts": "address", "deliveries": "send"}


def put(log: Log) -> int:
    """Into each partition of each topic; how many are for the stages."""
    count = 0
    for name, topic in log.topics.items():
        for key in ("tick", "run", "B01"):
            for part in range(topic.partitions):
                log.append([Out(name, key, value, part) for value in FOREIGN])
                count += len(FOREIGN) * (name in READERS)
    return count


def test_foreign_bytes_in_every_topic_stop_nothing(
    storm: Path, whole: Path, tmp_path: Path
) -> None:
    with opened(at(storm)(DISTRICT, "exercise-a")) as log:
        wanted = {n: lines(log, n) for n in ("alerts", "detections", "deliveries")}
        rows = [
            Out("observations", key, value, part)
            for (topic, part), found in contents(log).items()
            for key, value in found
            if topic == "observations"
        ]
    # a storm from its beginning, with foreign bytes before, between and after
    with opened(at(tmp_path)(DISTRICT, "exercise-f")) as log:
        channel = Recording()
        with line(log, channel, storm / "exercise-a" / "frames"):
            count = put(log)
            for n in range(0, len(rows), 200):
                log.append(rows[n : n + 200])
                if n == 2000:
                    count += put(log)
            settle(log, channel)
            count += put(log)
            settle(log, channel)
        assert lines(log, "detections") == wanted["detections"]
        assert lines(log, "alerts") == wanted["alerts"]
        assert len(channel.keys) == len(set(channel.keys)) > 20
        letters = [json.loads(e.value) for e in log.read("dead-letters", 0, 0, 10**6)
                   if e.value.startswith(b'{"type":"dead_letter"')]  # fmt: skip
        kept = Counter(x["source"].split("/")[0] for x in letters)
        assert {x["reason"] for x in letters} == {"undecodable_record"}
        assert sum(kept.values()) == count
        assert len({x["source"] for x in letters}) == count
        assert set(kept) == set(READERS)


def test_whoever_asks_is_answered(storm: Path, whole: Path, tmp_path: Path) -> None:
    asked = (
        ("export", "alerts"),
        ("export", "deliveries"),
        ("status",),
        ("audit", "--once"),
    )
    restore(whole, "exercise-g", at(tmp_path))
    before = [fengsui(tmp_path, *words, "--run", "exercise-g") for words in asked]
    with opened(at(tmp_path)(DISTRICT, "exercise-g")) as log:
        put(log)
    after = [fengsui(tmp_path, *words, "--run", "exercise-g") for words in asked]
    for words, old, new in zip(asked, before, after, strict=True):
        assert "Traceback" not in new.stderr, words
        assert (old.returncode, new.returncode) == (0, 0) or words[0] == "audit", new.stderr
    assert [x.stdout for x in after[:2]] == [x.stdout for x in before[:2]]
    file = tmp_path / "g.tar.gz"
    assert fengsui(tmp_path, "backup", str(file), "--run", "exercise-g").returncode == 0
    assert fengsui(tmp_path, "restore", str(file), "--into", "exercise-h").returncode == 0
