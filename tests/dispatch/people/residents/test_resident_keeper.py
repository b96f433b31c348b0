"""The page and the keeper apart: the page has the socket alone, and what it says is checked."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
import pytest

from config.records.district import District
from dispatch.people.contact_store import ASKED, ContactStore
from dispatch.people.residents.desk import Often, Wish
from dispatch.people.residents.door import ResidentDoor
from dispatch.people.residents.keeper import CodeAsked, Keeper, SocketDesk, run_keeper
from stream.http.server import HttpDoor
from stream.log.open import open_log
from stream.log.port import Log
from tests.support.decide_district import T0
from tests.support.people_door import call
from tests.support.residents import NUMBER, Clock, desk, with_store

FORM = {"area": "A01", "phone": NUMBER, "quiet": "22:00-07:00", "language": "zh", "days": ""}


def hidden(page: str) -> str:
    return page.partition('name="id" value="')[2].partition('"')[0]


class Two(NamedTuple):
    url: str
    path: Path
    log: Log
    district: District
    keeper: Keeper

    def post(self, to: str, **fields: str) -> tuple[int, str]:
        return call(f"{self.url}/{to}", urlencode(fields).encode())

    def code(self) -> str:
        assert self.district.vault is not None
        with ContactStore(self.district.vault) as store:
            (asked,) = [i for i in store.with_number(NUMBER) if i.startswith(ASKED)]
            whole = store.whole(asked)
        assert whole is not None
        return whole.name


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    log = open_log(f"sqlite:///{tmp_path}", "exercise-a", "yanqing", 4, {})
    d, wall, path = with_store(tmp_path / "run"), Clock(), tmp_path / "keeper"
    stop, open_ = threading.Event(), threading.Event()
    args = (d, False, log, path, lambda: T0, wall, stop, open_.set)
    thread = threading.Thread(target=run_keeper, args=args)
    thread.start()
    assert open_.wait(60)
    page = msgspec.structs.replace(d, vault=None, contacts={})  # what the page has
    far = SocketDesk(path)
    server = HttpDoor(
        ResidentDoor(page, False, None, far, wall, far.notes).app(), "127.0.0.1:0", "residents"
    )
    yield Two(server.url, path, log, d, Keeper(d, log, desk(d, wall), lambda _: [], wall))
    server.close()
    stop.set()
    thread.join()
    log.close()
    assert not path.exists()


def test_the_whole_way_by_the_socket(two: Two) -> None:
    status, page = two.post("ask", **FORM)
    assert status == 200
    assert two.post("confirm", id=hidden(page), code="000000x")[0] == 400
    status, said = two.post("confirm", id=hidden(page), code=two.code())
    assert (status, "已订阅" in said, "香屯村" in said) == (200, True, True)
    assert len(two.log.read("cases", 0, 0)) == 1
    assert two.path.stat().st_mode & 0o777 == 0o660
    assert call(f"{two.url}/?v=A01")[0] == 200


def test_a_keeper_that_is_away_is_said(tmp_path: Path) -> None:
    d = msgspec.structs.replace(with_store(tmp_path), vault=None)
    far = SocketDesk(tmp_path / "nobody")
    server = HttpDoor(
        ResidentDoor(d, False, None, far, Clock(), far.notes).app(), "127.0.0.1:0", "residents"
    )
    assert call(f"{server.url}/?v=A01")[0] == 200
    body = "&".join(f"{k}={v}" for k, v in FORM.items()).encode()
    assert call(f"{server.url}/ask", body)[0] == 503
    server.close()


@pytest.mark.parametrize(
    ("number", "wish"),
    [
        ("12345", Wish(("A01",), "zh")),
        (NUMBER, Wish(("*",), "zh")),
        (NUMBER, Wish(("A99",), "zh")),
        (NUMBER, Wish(("A01", "A02"), "zh")),
        (NUMBER, Wish(("A01",), "zh", quiet="00:00-23:59")),
        (NUMBER, Wish(("A01",), "zh", until="2099-01-01")),
        (NUMBER, Wish((), "zh")),
    ],
)
def test_a_page_that_was_taken_over_asks_for_no_more_than_a_visitor(
    two: Two, number: str, wish: Wish
) -> None:
    line = msgspec.json.encode(CodeAsked(number, wish, "10.0.0.1"))
    assert two.keeper.answer(line).state == "not_kept"
    assert two.log.read("deliveries", 0, 0) == []


@pytest.mark.parametrize("line", [b"", b"{}\n", b"x" * 9000, b'{"type":"load"}', b"\xff", b"[1]"])
def test_any_line_is_answered(two: Two, line: bytes) -> None:
    assert two.keeper.answer(line).state == "not_kept"


def test_it_bombs_nobody(two: Two) -> None:
    far: Any = SocketDesk(two.path)
    for n in range(8):  # another address each time
        far.ask(NUMBER, Wish(("A01",), "zh"), f"10.0.0.{n}")
    assert len(two.log.read("deliveries", 0, 0)) == 3
    with pytest.raises(Often):
        for _ in range(70):
            far.confirm("x", "000000", "10.0.0.1")
