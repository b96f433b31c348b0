"""Old files of `done` go by the district's word, and none that the log has not."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from ingest.weather.done import sweep_done
from ingest.weather.memory import digest_of
from tests.support.weather import CSV, HEAD, door

DAY = 86_400_000
KEPT = {"hourly": replace(CSV, keep_days=7)}
GOOD = HEAD + "54406,2026-07-26,08:00,1.2,52100\n"


def moved_at(path: Path) -> int:
    """ms"""
    return int(path.stat().st_ctime * 1000)


def test_a_file_goes_after_its_days_and_not_before(tmp_path: Path) -> None:
    with door(tmp_path) as of:
        for name in ("pre_1.csv", "pre_2.csv"):
            of.drop_file(name, GOOD.replace("1.2", name[4]))
            of.look()
        done = of.folder / "done"
        now = moved_at(done / "pre_1.csv")
        known = of.memory.taken
        assert sweep_done(of.folder, KEPT, known, now + 7 * DAY - 60_000) == 0
        assert sweep_done(of.folder, {"hourly": CSV}, known, now + 400 * DAY) == 0, "for ever"
        assert sweep_done(of.folder, KEPT, known, now + 8 * DAY) == 2
        assert list(done.iterdir()) == []
        assert of.readings(), "the log keeps what they brought"


def test_what_the_log_has_not_stays(tmp_path: Path) -> None:
    """Laid there by hand, written after it was moved, of no declared kind, refused, or a link."""
    with door(tmp_path) as of:
        of.drop_file("pre_1.csv", GOOD)
        of.look()
        done = of.folder / "done"
        (done / "pre_1.csv").write_text(GOOD + "54406,2026-07-26,09:00,9.9,\n", "utf-8")
        (done / "pre_by_hand.csv").write_text(GOOD.replace("1.2", "3.4"), "utf-8")
        (done / "notes.txt").write_text("x", "utf-8")
        outside = tmp_path / "pre_outside.csv"
        outside.write_text(GOOD, "utf-8")
        (done / "pre_link.csv").symlink_to(outside)
        (of.folder / "refused").mkdir()
        (of.folder / "refused" / "pre_9.csv").write_text(GOOD, "utf-8")
        later = moved_at(done / "pre_1.csv") + 30 * DAY
        assert sweep_done(of.folder, KEPT, of.memory.taken, later) == 0
        assert sweep_done(of.folder, KEPT, lambda _: False, later) == 0
        assert {p.name for p in done.iterdir()} >= {"pre_1.csv", "pre_by_hand.csv", "notes.txt"}
        assert outside.exists()


def test_a_second_file_of_one_name_goes_too(tmp_path: Path) -> None:
    done = tmp_path / "done"
    done.mkdir()
    body = GOOD.encode()
    digest = digest_of(body)
    (done / f"pre_1.{digest[:12]}.csv").write_bytes(body)
    (done / f"pre_2.{digest[:12]}.csv").write_bytes(body)
    later = max(moved_at(p) for p in done.iterdir()) + 8 * DAY
    kept = {"hourly": replace(CSV, files="pre_1.csv", keep_days=7)}
    assert sweep_done(tmp_path, kept, {digest}.__contains__, later) == 1
    assert [p.name for p in done.iterdir()] == [f"pre_2.{digest[:12]}.csv"]


def test_a_folder_without_done_and_one_that_cannot_be_read(tmp_path: Path) -> None:
    assert sweep_done(tmp_path, KEPT, lambda _: True, 0) == 0
    (tmp_path / "done").write_text("x", "utf-8")
    with pytest.raises(OSError):
        sweep_done(tmp_path, KEPT, lambda _: True, 0)
