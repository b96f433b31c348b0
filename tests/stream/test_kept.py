"""What a log says of itself for when the power goes, and when it may say that nothing is lost."""

import sqlite3
from pathlib import Path

import pytest

from stream.log.kept import holds, told
from stream.log.open import open_log
from stream.log.port import ACCOUNTS, SIX_MONTHS_DAYS, Kept, dropped_early, topics


@pytest.mark.parametrize(
    ("kept", "well", "zh", "en"),
    [
        (Kept(1, 1), True, "断电不丢", "outlives a power cut"),
        (Kept(2, 1), True, "2 份，1 份", "2 copies, 1 of which"),
        (Kept(1, 1, ("cases",)), False, "断电会丢已收下", "takes back readings and decisions"),
        (Kept(1, 1, ("__transaction_state",)), False, "__transaction_state", "__transaction_state"),
        (Kept(3, 1, ("cases",)), False, "断电会丢", "takes back"),  # one copy may answer for all
        (Kept(3, 2, ("cases",)), True, "一台断电不丢", "one machine may lose its power"),
        (Kept(3, 2, (), ("cases",)), False, "问不出", "cannot be asked"),
        (Kept(1, 1, ("cases",), ("alerts",)), False, "断电会丢", "takes back"),
    ],
)
def test_it_promises_no_more_than_is_so(kept: Kept, well: bool, zh: str, en: str) -> None:
    assert holds(kept) == well
    assert zh in told(kept).zh
    assert en in told(kept).en


def test_the_embedded_log_syncs_each_commit(tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path}", "live", "toy", 2)
    assert log.kept() == Kept(1, 1)
    log._writer.execute("PRAGMA synchronous=NORMAL")  # type: ignore[attr-defined]
    assert not holds(log.kept())
    log.close()
    # what another program has set in the file does not count: each connection says for itself
    with sqlite3.connect(tmp_path / "toy.live.log.db") as db:
        db.execute("PRAGMA synchronous=OFF")
    log = open_log(f"sqlite:///{tmp_path}", "live", "toy", 2)
    assert holds(log.kept())
    log.close()


def test_who_decided_who_was_told_and_what_was_refused_is_kept_six_months() -> None:
    usual = topics()
    assert all(usual[name].retention_h >= 24 * SIX_MONTHS_DAYS for name in ACCOUNTS)
    assert not dropped_early({"observations": 7, "ledger": SIX_MONTHS_DAYS})
    assert dropped_early({"alerts": 183, "dead-letters": 2}) == ["dead-letters", "alerts"]
