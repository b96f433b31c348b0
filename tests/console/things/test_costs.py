"""What a query may cost: paths through two sets are refused by name, a page of nothing has no next one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from console.things.model import Model
from console.things.query import Unanswered, query
from console.things.reader import Reader
from console.things.readings import Readings
from stream.history.open import open_history
from stream.history.port import Point
from tests.support.districts import yanqing


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    h = open_history(f"sqlite:///{tmp_path}", "exercise-things", "yanqing")
    yield lambda p, *o: Reader(Model(yanqing()), Readings(h, 1_753_524_000_000), "http://x").answer(
        p, query(o)
    )
    h.close()


@pytest.mark.parametrize("option", ["$filter", "$orderby"])
def test_a_path_through_two_sets_is_refused(ask: Callable[..., Any], option: str) -> None:
    path = "Datastreams/ObservedProperty/Datastreams/id"  # 68 times the work with each more
    with pytest.raises(Unanswered) as e:
        ask("ObservedProperties", (option, path + " eq 'x'" if option == "$filter" else path))
    assert e.value.status == 501
    assert ask("Things", ("$filter", "Datastreams/ObservedProperty/name eq 'rain'"))["value"]
    assert ask("Datastreams", ("$filter", "Thing/Locations/name eq '香屯雨量站'"))["value"]


def test_a_page_of_nothing_has_no_next_one(ask: Callable[..., Any]) -> None:
    assert "@iot.nextLink" not in ask("Things", ("$top", "0"))


def test_a_query_that_takes_too_long_ends(tmp_path: Path) -> None:
    h = open_history(f"sqlite:///{tmp_path}", "exercise-things", "yanqing")
    newest = 1_753_524_000_000
    h.write([Point("R01", "rain", newest - k * 60_000, 0, 1, 1) for k in range(1000)], [])
    late = iter([False, False, True])
    reader = Reader(Model(yanqing()), Readings(h, newest), "http://x", lambda: next(late))
    with pytest.raises(Unanswered) as e:
        reader.answer(
            "Datastreams('R01.rain')/Observations", query([("$filter", "result eq 1000")])
        )
    assert e.value.status == 400 and next(late, None) is None
    h.close()
