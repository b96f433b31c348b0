"""The page people report on, as a telephone sees it: over HTTP, with a real log behind it."""

import io
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from PIL import Image

from fengsui.cli.root import cli
from fengsui.run.recipients import with_reporters
from fengsui.run.setup import make_setup
from ingest.people import web
from ingest.people.links import Links
from ingest.people.reports import People
from stream.log.port import Log, Unavailable
from stream.records import DeadLetter
from tests.support.decide_district import MIN, T0, yanqing
from tests.support.people_door import (
    LONG_AFTER,
    OBSERVER,
    Place,
    call,
    kept,
    multipart,
    picture,
    post,
    sending,
)
from tests.support.send import until

DAY = 86_400_000


def letters(log: Log) -> list[DeadLetter]:
    return [msgspec.json.decode(e.value, type=DeadLetter) for e in log.read("dead-letters", 0, 0)]


def test_the_page_works_without_script_and_names_the_persons_own_area(place: Place) -> None:
    status, page = call(f"{place.url}/r/{place.token}")
    assert status == 200
    assert "香屯村" in page
    assert "演练" in page
    scripts = page.split("<script>")[1:]
    assert len(scripts) == 1 and "geolocation" in scripts[0], "the photograph's place alone; all works without"
    assert "<noscript" not in page
    assert yanqing().hotline in page
    assert len(page.encode()) < 6000


def test_a_report_is_in_the_log_when_the_page_says_so(place: Place) -> None:
    status, page = post(place, {"what": "report_flood", "id": "f1"})
    assert status == 200
    assert "已收到" in page
    (says,) = kept(place.log)
    assert (says.person, says.what, says.area, says.way) == (
        OBSERVER,
        "report_flood",
        "A01",
        "form",
    )
    assert says.said_at == T0, "the run's clock, not the telephone's"
    post(place, {"what": "report_flood", "id": "f1"})
    assert len({s.id for s in kept(place.log)}) == 1, "the same page sent twice is one report"


def test_how_many_have_moved(place: Place) -> None:
    assert post(place, {"what": "moved", "people": "１２", "id": "a"})[0] == 200
    assert post(place, {"what": "moved", "people": "", "id": "b"})[0] == 200
    assert post(place, {"what": "moved", "people": "-3", "id": "c"})[0] == 400
    assert post(place, {"what": "moved", "people": "99999999", "id": "d"})[0] == 400
    assert [s.people for s in kept(place.log)] == [12, None]


def test_a_photograph_is_kept_without_what_its_exif_tells(place: Place) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "SECRETPHONE", 6  # maker; turned a quarter
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    body = picture(exif=exif.tobytes(), comment=b"SECRETNAME")
    assert b"SECRETPHONE" in body
    assert post(place, {"what": "damage", "id": "p"}, body)[0] == 200
    words, says = kept(place.log)
    assert not words.photo, "the words do not wait for it"
    assert says == msgspec.structs.replace(words, photo=says.photo)
    stored = place.frames.get(says.photo)
    assert stored is not None
    assert b"SECRET" not in stored
    with Image.open(io.BytesIO(stored)) as image:
        assert not image.getexif()
        assert image.size == (300, 400), "upright"


@pytest.mark.parametrize(
    ("photo", "reason"),
    [
        (lambda: b"\xff\xd8" + b"x" * 10_000_000, "oversize"),
        (lambda: b"<script>alert(1)</script>", "bad_frame"),
        (lambda: b"GIF89a" + b"\0" * 40, "bad_frame"),
        (lambda: picture()[:300], "bad_frame"),
        (lambda: picture("PNG", (9000, 9000), compress_level=1), "bad_frame"),
    ],
    ids=["10 MB", "script", "gif", "cut", "81 million pixels"],
)
def test_a_bad_photograph_never_costs_the_report(
    place: Place, photo: Callable[[], bytes], reason: str
) -> None:
    status, page = post(place, {"what": "help", "id": "p"}, photo())
    assert status == 200
    assert "照片用不了" in page
    (says,) = kept(place.log)
    assert (says.what, says.photo) == ("help", "")
    assert [x.reason for x in letters(place.log)] == [reason]


def test_of_what_is_too_large_the_words_are_kept(place: Place) -> None:
    status, page = post(place, {"what": "help", "id": "p"}, b"x" * 13_000_000)
    assert status == 200
    assert "照片用不了" in page
    assert [x.what for x in kept(place.log)] == ["help"]
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert call(f"{place.url}/r/{place.token}", b"what=help&x=" + b"x" * 100_000, **kind)[0] == 413
    assert call(f"{place.url}/r/{place.token}", b"what=help&id=u", **kind)[0] == 200


def test_a_photograph_that_breaks_off_costs_the_report_nothing(place: Place) -> None:
    """Not even while it is still coming are the words waited with."""
    with sending(place, {"what": "help", "id": "p"}, picture()[:200]):
        until(lambda: [x.what for x in kept(place.log)] == ["help"], "in the log", 90)
    # "moved" means everybody unless a number follows: it waits for the number
    fields = {"what": "moved", "id": "q", "people": "7"}
    with sending(place, fields, picture()[:200]):
        until(lambda: len(kept(place.log)) == 2, "in the log", 90)
    assert kept(place.log)[1].people == 7
    mark = "m"
    body = multipart({"what": "moved", "id": "r"}, picture(), mark, {"people": "3"})
    kind = {"Content-Type": f"multipart/form-data; boundary={mark}"}
    assert call(f"{place.url}/r/{place.token}", body, **kind)[0] == 200
    assert [x.people for x in kept(place.log)[2:]] == [3, 3]


@pytest.mark.parametrize(
    "fields",
    [
        {"what": "<script>alert(1)</script>"},
        {"what": "unclear"},
        {},
        {"what": "help", "area": "A40"},
        {"what": "help", "id": "<b>"},
    ],
    ids=["script", "not sayable", "empty", "area of others", "id"],
)
def test_a_form_that_was_tampered_with_is_refused(place: Place, fields: dict[str, str]) -> None:
    status, page = post(place, {"id": "x", **fields})
    assert status == 400
    assert "<script" not in page
    assert kept(place.log) == []
    assert len(letters(place.log)) == 1


def test_a_forged_an_expired_a_revoked_and_a_replaced_token(place: Place, tmp_path: Path) -> None:
    over = Links(tmp_path)
    for token, words in (
        ("A" * 22, "无效"),
        (over.make(OBSERVER, 0, 1), "过期"),
    ):
        status, page = post(place, {"what": "help"}, token=token)
        assert status == 403
        assert words in page
    assert post(place, {"what": "help"})[0] == 403, "a new link ends the old one"
    fresh = over.make(OBSERVER, LONG_AFTER, 1)
    assert post(place, {"what": "help"}, token=fresh)[0] == 200
    assert over.revoke(OBSERVER)
    assert post(place, {"what": "help"}, token=fresh)[0] == 403
    assert not over.revoke(OBSERVER)
    # of somebody who is on no list any more
    assert post(place, {"what": "help"}, token=over.make("C-9999", LONG_AFTER, 1))[0] == 403
    assert len(kept(place.log)) == 1


def test_a_link_that_ends_soon_says_so_and_is_renewed(place: Place) -> None:
    page = f"{place.url}/r/{place.token}"
    assert "到期" not in call(page)[1]  # it lasts until long after this run's calendar
    assert place.links.renew(OBSERVER, T0, 5)
    assert "到期" in call(page)[1]
    assert place.links.ending(T0) == [OBSERVER]
    assert place.links.renew(OBSERVER, T0, 90)
    assert "到期" not in call(page)[1]
    assert not place.links.renew(OBSERVER, T0 + 91 * DAY, 90), "what is over is made anew"


def test_a_token_stands_nowhere(place: Place, tmp_path: Path) -> None:
    post(place, {"what": "help"})
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert place.token.encode() not in file.read_bytes(), file


def test_a_thousand_a_minute_are_told_to_wait(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = [post(place, {"what": "help", "id": f"m{n}"})[0] for n in range(40)]
    assert codes[:20] == [200] * 20
    assert set(codes[20:]) == {429}
    monkeypatch.setattr(web, "_A_MINUTE", 30)
    codes = [call(f"{place.url}/r/{'B' * 22}")[0] for n in range(40)]
    assert codes == [403] * 30 + [429] * 10, "nor may anybody try tokens"


def test_an_app_posts_json_and_reads_json(place: Place) -> None:
    url = f"{place.url}/r/{place.token}"
    kind = {"Content-Type": "application/json"}
    body = json.dumps({"what": "moved", "people": 7, "id": "j1"}).encode()
    status, found = call(url, body, **kind)
    assert (status, json.loads(found)["state"]) == (200, "taken")
    assert kept(place.log)[0].people == 7
    for bad in (
        b"[", b"[1]", b'{"what": "nothing"}', b'{"what": "help", "time": "yesterday"}', b"\xff",
        b"[" * 9000, b'{"what": ["help"]}', b'{"what": "help", "area": {"a": 1}}', b"null",
        b'{"what": "help", "time": ' + b"9" * 400 + b"}", b'{"what": "help", "time": 1e999}',
        b'{"what": "help", "people": ' + b"9" * 5000 + b"}", b'{"what": "moved", "people": -1}',
        b'{"what": "moved", "people": 1e9}', b'{"what": "moved", "people": 2.5}',
        b'{"what": "\\ud800"}', b'{"what": "help", "id": "\\ud800"}', b'{"what": "help", "time": [1]}',
        b'{"what": "help", "time": -999999999999999}', b'{"what": "help", "time": "\\ud800"}',
    ):  # fmt: skip
        status, found = call(url, bad, **kind)
        assert status == 400
        assert json.loads(found)["state"] == "refused"


def test_a_program_is_refused_in_what_it_reads(place: Place) -> None:
    url = f"{place.url}/r/{place.token}"
    bad = b'{"what": "help", "time": "yesterday"}'
    for asked, chinese in (("", True), ("en", False), ("zh, en;q=0.3", True)):
        head = {"Content-Type": "application/json", **({"Accept-Language": asked} if asked else {})}
        found = json.loads(call(url, bad, **head)[1])
        for words in (found["words"], found["detail"]):
            assert bool(re.search("[\u4e00-\u9fff]", words)) == chinese, (asked, words)
        assert found["words"] == found["zh" if chinese else "en"]


def test_an_office_passes_on_what_callers_say_with_its_token_in_a_header(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = next(c.id for c in yanqing().contacts.values() if c.role == "organisation")
    token = place.links.make(office, LONG_AFTER, 1)
    kind = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}

    def push(**fields: Any) -> int:
        return call(f"{place.url}/report", json.dumps(fields).encode(), **kind)[0]

    (area, *others) = People(yanqing()).areas_of(office)
    assert push(id="1", what="report_flood", area=area) == 200
    assert push(id="2", text="村里进水了，有人掉河里了", area=area) == 200
    assert push(id="3", text=f"{yanqing().areas[area].name}：味道不对，求你们看看") == 200
    assert push(id="4", text="是不是要溃坝了？", area=area) == 200
    assert push(id="5", text="水涨了", area="A99") == 400
    if others:
        assert push(id="6", text="水涨了") == 400, "which of its areas?"
    assert push(id="7", text="", area=area) == 400
    said = [(x.person, x.what, x.area) for x in kept(place.log)]
    assert said == [
        (office, "report_flood", area),
        (office, "help", area),
        (office, "report_flood", area),
        (office, "words", area),
        (office, "words", area),
    ]
    for wrong in ("", "Bearer x", f"Basic {token}"):
        head = {**kind, "Authorization": wrong}
        assert call(f"{place.url}/report", b'{"what": "help"}', **head)[0] == 403
    codes = {push(id=f"n{n}", what="damage", area=area) for n in range(60)}
    assert codes == {200}, "an office speaks for many"


def test_a_telephones_wrong_clock(place: Place) -> None:
    url, kind = f"{place.url}/r/{place.token}", {"Content-Type": "application/json"}
    ahead = json.dumps({"what": "report_flood", "time": (T0 + DAY) / 1000, "id": "j1"}).encode()
    assert call(url, ahead, **kind)[0] == 200
    assert kept(place.log)[0].said_at == T0
    old = json.dumps({"what": "report_flood", "time": (T0 - 180 * MIN) / 1000}).encode()
    assert call(url, old, **kind)[0] == 400
    assert [x.reason for x in letters(place.log)] == ["too_old"]


def test_nothing_is_acknowledged_that_the_log_does_not_have(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_outs: Any) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(place.log, "append", away)
    status, page = post(place, {"what": "help"})
    assert status == 503
    assert "重发" in page


def test_links_by_the_command(tmp_path: Path) -> None:
    def fengsui(*words: str) -> Any:
        return CliRunner().invoke(
            cli, ["--state", str(tmp_path), "people", *words, "--run", "live"]
        )

    assert fengsui("link", "C-9999").exit_code != 0
    made = fengsui("link", OBSERVER)
    assert made.exit_code == 0, made.output
    token = made.stdout.strip().rpartition("/")[2]
    assert Links(tmp_path / "live").holder(token, 0) == OBSERVER
    assert OBSERVER in fengsui("links").stdout
    assert token not in fengsui("links").stdout
    assert "ends soon" not in fengsui("links").stdout
    assert fengsui("links", "--ending").stdout == ""
    assert fengsui("renew", OBSERVER, "--days", "3").exit_code == 0
    assert "ends soon" in fengsui("links", "--ending").stdout
    assert Links(tmp_path / "live").holder(token, 0) == OBSERVER, "the same token"
    assert fengsui("renew", "C-0001").exit_code != 0
    assert fengsui("revoke", OBSERVER).exit_code == 0
    assert Links(tmp_path / "live").holder(token, 0) is None
    assert fengsui("revoke", OBSERVER).exit_code != 0


def test_whoever_is_erased_has_no_link(tmp_path: Path) -> None:
    def fengsui(*words: str) -> Any:
        return CliRunner().invoke(cli, ["--state", str(tmp_path), *words, "--run", "live"])

    token = fengsui("people", "link", OBSERVER).stdout.strip().rpartition("/")[2]
    fengsui("contacts", "erase", OBSERVER)
    assert Links(tmp_path / "live").holder(token, 0) is None


def test_a_store_that_cannot_be_opened_keeps_no_gauge_from_being_heard(tmp_path: Path) -> None:
    setup = make_setup(yanqing(), "exercise-a", tmp_path)
    keys = tmp_path / "exercise-a" / "keys"
    keys.mkdir(parents=True)
    (keys / "contacts.key").write_text("00" * 32)
    (keys / "contacts.key").chmod(0o644)  # readable by others: refused
    district, links = with_reporters(setup)
    assert (district.contacts, links) == ({}, None)
    assert district.stations == yanqing().stations


def test_the_field_worker_takes_a_station_out_of_judgement_on_their_own_page(place: Place) -> None:
    at = f"{place.url}/r/{place.token}"
    page = call(at)[1]
    assert "设备维护" in page
    thing = re.findall(r"<option>([A-Z0-9]+)</option>", page)[0]
    said = urllib.parse.urlencode({"what": "service", "thing": thing, "minutes": 60, "id": "s1"})
    status, words = call(at, said.encode(), **{"Content-Type": "application/x-www-form-urlencoded"})
    assert status == 200, words
    for bad in ({"minutes": "-5"}, {"minutes": "99999"}, {"thing": "R99"}, {"minutes": "x"}):
        body = json.dumps({"what": "service", "thing": thing, "minutes": 60, **bad}).encode()
        assert call(at, body, **{"Content-Type": "application/json"})[0] == 400, bad
    for part in range(yanqing().partitions):
        found = [e for e in place.log.read("observations", part, 0) if b'"service"' in e.value]
        assert len(found) == 1
        assert thing.encode() in found[0].value
