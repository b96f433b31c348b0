"""Whoever writes a chain of the ledger tells that it does, and who stands by for it says so."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from dispatch.ledger.chain import CHAINS
from dispatch.ledger.writer import Ledger, group, ledger_keys
from stream.log.open import open_log
from stream.metrics import OWNED, PULSES

WAIT_S = 240.0


def soon(there: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_S
    while not (found := there()) and time.monotonic() < until:
        time.sleep(0.05)
    assert found


def ready() -> dict[str, bool]:
    """Chain -> does its member of this process say that it works?"""
    state = PULSES.state()
    return {c: state[group(c)]["ready"] for c in CHAINS if group(c) in state}


def held() -> list[float]:
    return [OWNED.labels(group(c))._value.get() for c in CHAINS]


def test_a_ledger_tells_whether_it_has_its_chains(tmp_path: Path) -> None:
    url, key = f"sqlite:///{tmp_path}", ledger_keys(tmp_path, False).private
    log = open_log(url, "exercise", "toy", 1)
    others = {chain: log.join(chain, group(chain), "other") for chain in CHAINS}
    free, stop = threading.Event(), threading.Event()

    def hold() -> None:
        while not free.wait(0.05):
            for one in others.values():
                one.poll(0.0)
        for one in others.values():
            one.close()

    holding = threading.Thread(target=hold)
    holding.start()
    soon(lambda: all(o.owned() for o in others.values()))
    ledger = Ledger(log, "m", key, lambda: 1, stop)
    try:
        soon(lambda: ready() == dict.fromkeys(CHAINS, False) and held() == [0.0, 0.0])
        words = {PULSES.state()[group(c)]["waits_for"] for c in CHAINS}
        assert "" not in words
        free.set()
        soon(lambda: ready() == dict.fromkeys(CHAINS, True) and held() == [1.0, 1.0])
    finally:
        free.set()
        ledger.close()
        holding.join(WAIT_S)
        log.close()
    assert not ready()
