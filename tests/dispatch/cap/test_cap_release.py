"""The way to a release platform 12379: files as real ones look, one identifier each, by a folder or a real FTP
server, and the platform's word on them as the delivery's state. The platform itself is nobody's here."""

import contextlib
import io
import threading
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from config.checks.channels.release import release_problems
from config.language import en
from config.records.channels import Release
from config.records.district import District
from config.records.level import Action, Level
from dispatch.address.recipients import public
from dispatch.cap.message import identifier
from dispatch.cap.national.answer import read_answer, whose
from dispatch.cap.national.message import IDENTIFIER, events, identifiers
from dispatch.cap.national.place import Folder, Ftp
from dispatch.cap.national.send import ReleasePlatform, release_of
from dispatch.cap.neighbours import RELEASE, RELEASE_PLATFORM
from dispatch.cap.publish import Cap
from dispatch.channels import CarrierWord, SendError
from dispatch.channels.status_words import meaning_of
from dispatch.records import Delivery, Receipt, Route, attempt_key
from dispatch.send.outbox.apply import apply
from dispatch.send.outbox.state import Box, Rules
from dispatch.send.receipts import Receipts
from stream.limits import Unreadable
from tests.support.cap_xml import ROUTE, T0, alert_for, delivery
from tests.support.decide_district import yanqing
from tests.support.examples import examples

CODE = "11011941600000"
SHEET = Release(sender_code=CODE, methods=("SMS", "WEB"))
RULES = Rules(live=True, retry_s=(5,), played_within_s=60, answer_within_s=60, areas={})
AT = datetime.fromisoformat("2025-07-27T06:10:01+08:00")
TAKEN = b"<msg><data><rows><status>0</status><error_code/><note/></rows></data></msg>"
REFUSED = (
    "<msg><data><rows><status>1</status><error_code>E07</error_code><note>标识重复</note></rows>"
    "</data></msg>"
).encode()


def connected(release: Release = SHEET) -> District:
    channels = msgspec.structs.replace(yanqing().channels, release=release)
    return msgspec.structs.replace(yanqing(), channels=channels)


class Run:
    """A run whose platform is a folder; `out` has its files, `words` what was heard of answers."""

    def __init__(self, folder: Path, release: Release = SHEET) -> None:
        self.district = connected(release)
        self.folder, self.out, self.answers = folder, folder / "out", folder / "in"
        self.words: list[CarrierWord] = []
        self.cap = Cap(self.district, folder / "cap")
        self.open()

    def open(self) -> None:
        place = Folder(self.out, self.answers)
        self.way = ReleasePlatform(
            self.district, self.cap, place, self.folder, self.words.append, every_s=3600
        )

    def send(self, d: Delivery, key: str = "k") -> etree._Element:
        before = set(self.out.glob("*"))
        self.way.send(d, ROUTE, key)
        (made,) = set(self.out.glob("*")) - before
        return root_of(made)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    found = Run(tmp_path)
    yield found
    found.way.close()


def root_of(file: Path) -> etree._Element:
    with zipfile.ZipFile(file) as z:
        (name,) = z.namelist()
        assert name == f"{file.stem}.xml"
        return etree.fromstring(z.read(name))


def of_version(version: int, level: Level, kind: str, **more: Any) -> Delivery:
    action = Action.MOVE if level == Level.RED else Action.NONE
    fields: dict[str, Any] = {
        "msg_type": kind,
        "queued_at": T0 + version * 1000,
        "status": "actual",
    }
    fields |= {"version": version, "level": level, "action": action}
    return delivery(**{**fields, **more})


# --- what a file holds


def test_a_joint_release_names_both_offices_whatever_name_was_settled(tmp_path: Path) -> None:
    sheet = msgspec.structs.replace(SHEET, sender_name="示例 张三")
    run = Run(tmp_path, sheet)
    joint = {"hazard": "debris_flow", "issuers": ("resources", "weather")}
    root = run.send(of_version(1, Level.YELLOW, "alert", **joint))
    assert root.findtext("info/senderName") == "规自分局、气象局"
    headline = "规自分局、气象局联合发布泥石流黄色预警[III级/较重]"
    assert root.findtext("info/headline") == headline
    ours = run.send(of_version(1, Level.YELLOW, "alert", alert="other"), "k2")
    assert ours.findtext("info/senderName") == "示例 张三"
    assert str(ours.findtext("info/headline")).startswith(run.district.issuer)
    run.way.close()


def test_a_red_warning_is_as_real_files_are(run: Run) -> None:
    root = run.send(of_version(1, Level.RED, "alert"))
    assert root.tag == "alert"  # without a namespace
    assert [e.tag for e in root] == [
        *("identifier", "sender", "senderCode", "sendTime", "status", "msgType", "scope", "code"),
        *("secClassification", "note", "references", "info"),
    ]
    info = root.find("info")
    assert info is not None
    assert [e.tag for e in info] == [
        *("language", "eventType", "urgency", "severity", "certainty", "effective", "onset"),
        *("expires", "senderName", "headline", "description", "instruction", "web", "area"),
    ]

    def text(path: str) -> str:
        return root.findtext(path, "-")

    assert text("identifier") == f"{CODE}_20250727061001"
    assert len(text("identifier")) == 29
    assert text("senderCode") == CODE
    assert text("sendTime") == "2025-07-27 06:10:01+08:00"
    assert (text("status"), text("msgType"), text("scope")) == ("Actual", "Alert", "Public")
    assert text("references") == ""
    assert [m.findtext("methodName") for m in root.iterfind("code/method")] == ["SMS", "WEB"]
    assert [e.tag for e in root.iterfind("code/method[1]/*")] == [
        *("methodName", "message", "audienceGrp", "audenceprt"),
    ]
    assert text("info/eventType") == "11A51"
    assert (text("info/urgency"), text("info/severity")) == ("Unknown", "Red")
    assert text("info/headline").endswith("发布山洪红色预警[I级/特别重大]")
    assert text("info/area/geocode") == yanqing().areas["A01"].division
    assert text("info/area/polygon").startswith("40.")
    (file,) = run.out.glob("*")
    assert file.name == f"{CODE}_20250727061001_11A51_RED_Alert.zip"


def test_a_chain_names_its_first_and_its_end_keeps_the_colour(run: Run) -> None:
    first = run.send(of_version(1, Level.RED, "alert")).findtext("identifier")
    update = run.send(of_version(2, Level.ORANGE, "update"))
    end = run.send(of_version(3, Level.NONE, "cancel"))
    assert [r.findtext("references") for r in (update, end)] == [first, first]
    assert [r.findtext("msgType") for r in (update, end)] == ["Update", "Cancel"]
    assert [r.findtext("info/severity") for r in (update, end)] == ["Orange", "Orange"]
    assert len({r.findtext("identifier") for r in (update, end)} | {first}) == 3
    assert [f.name.split("_")[3:] for f in sorted(run.out.glob("*"))] == [
        ["RED", "Alert.zip"], ["ORANGE", "Update.zip"], ["ORANGE", "Cancel.zip"],
    ]  # fmt: skip


def test_an_update_of_which_nothing_went_out_is_an_alert_and_its_end_ends_nothing(
    run: Run,
) -> None:
    run.cap.send(of_version(1, Level.BLUE, "alert"), ROUTE, "k")  # before 12379 was connected
    root = run.send(of_version(2, Level.RED, "update"))
    assert (root.findtext("msgType"), root.findtext("references")) == ("Alert", "")
    with pytest.raises(SendError) as e:
        run.way.send(of_version(2, Level.NONE, "cancel", alert="other"), ROUTE, "k")
    assert e.value.permanent


def test_the_district_says_what_no_public_list_has(run: Run) -> None:
    with pytest.raises(SendError) as e:
        run.way.send(of_version(1, Level.RED, "alert", hazard="crowd"), ROUTE, "k")
    assert e.value.permanent
    assert "event_types" in en(e.value.detail)
    told = Release(sender_code=CODE, event_types={"crowd": "14A00"})
    assert told.event_types["crowd"] == "14A00"
    other = Run(run.folder / "b", told)
    assert other.send(of_version(1, Level.RED, "alert", hazard="crowd")).findtext(
        "info/eventType"
    ) == ("14A00")
    other.way.close()
    assert {e.certainty for e in events().values()} <= {"certain", "likely", "check"}
    assert {events()[h].code for h in ("flash_flood", "debris_flow")} == {"11A51", "11D02"}


def test_an_order_without_a_colour_has_the_districts_or_none(run: Run, tmp_path: Path) -> None:
    order = of_version(1, Level.NONE, "alert", action=Action.MOVE)
    with pytest.raises(SendError) as e:
        run.way.send(order, ROUTE, "k")
    assert e.value.permanent
    assert "orders" in en(e.value.detail)
    assert list(run.out.glob("*")) == []
    assert run.way.send(of_version(1, Level.RED, "alert", alert="x"), ROUTE, "k").state == (
        "accepted"
    )
    told = Run(tmp_path / "b", Release(sender_code=CODE, orders={"move": "Red"}))
    assert told.send(order).findtext("info/severity") == "Red"
    told.way.close()


@pytest.mark.parametrize(("how", "begins"), [("latlon", "40."), ("lonlat", "116."), ("none", "")])
def test_the_order_of_corners_is_a_setting(tmp_path: Path, how: Any, begins: str) -> None:
    told = Run(tmp_path, Release(sender_code=CODE, polygon=how))
    found = told.send(of_version(1, Level.RED, "alert")).findtext("info/area/polygon")
    assert found is not None
    assert found.startswith(begins)
    assert bool(found) == bool(begins)
    told.way.close()


# --- identifiers


def test_two_warnings_of_one_second_have_two_identifiers_and_keep_them(run: Run) -> None:
    same = [of_version(1, Level.RED, "alert", alert=f"a{n}") for n in range(3)]
    found = [run.send(d).findtext("identifier") for d in same]
    assert len(set(found)) == 3
    again = run.way.send(same[1], ROUTE, "k")
    assert again.detail == found[1]
    run.way.close()
    run.open()  # after a crash
    assert run.way.send(same[2], ROUTE, "k").detail == found[2]
    assert len(list(run.out.glob("*"))) == 3


@given(count=st.integers(1, 25), form=st.sampled_from(("29", "31")))
@examples(30)
def test_no_identifier_is_given_twice(count: int, form: Any) -> None:
    release = Release(sender_code=CODE, identifier=form)
    used: set[str] = set()
    for _ in range(count):
        made = identifiers(release, AT, frozenset(used))
        assert len(made) == int(form)
        assert IDENTIFIER.fullmatch(made)
        assert made not in used
        used.add(made)


def test_a_damaged_register_holds_up_no_warning_and_is_kept(tmp_path: Path) -> None:
    (tmp_path / "release12379.json").write_text("{")
    run = Run(tmp_path)
    run.send(of_version(1, Level.RED, "alert"))
    assert (tmp_path / "release12379.json.damaged").read_text() == "{"
    run.way.close()


def test_a_folder_that_is_away_is_a_failed_attempt_and_keeps_nothing_from_starting(
    tmp_path: Path,
) -> None:
    (tmp_path / "out").write_text("a share that is not mounted")
    run = Run(tmp_path)
    with pytest.raises(SendError) as e:
        run.way.send(of_version(1, Level.RED, "alert"), ROUTE, "k")
    assert not e.value.permanent
    (tmp_path / "out").unlink()
    assert run.way.send(of_version(1, Level.RED, "alert"), ROUTE, "k").state == "accepted"
    run.way.close()


def test_what_never_lay_there_is_updated_by_nothing(run: Run) -> None:
    run.out.write_text("a share that is not mounted")
    first = of_version(1, Level.BLUE, "alert")
    with pytest.raises(SendError):
        run.way.send(first, ROUTE, "k")
    run.out.unlink()
    root = run.send(of_version(2, Level.RED, "update"))
    assert (root.findtext("msgType"), root.findtext("references")) == ("Alert", "")
    with pytest.raises(SendError) as e:  # it came late
        run.way.send(first, ROUTE, "k")
    assert e.value.permanent and len(list(run.out.glob("*"))) == 1
    end = run.send(of_version(3, Level.NONE, "cancel"))
    assert end.findtext("references") == root.findtext("identifier")


# --- what the platform says


def answer(run: Run, of: str, body: bytes, zeros: str = "0000000") -> Path:
    run.answers.mkdir(exist_ok=True)
    file = run.answers / f"{of}{zeros}_330600-AMP_330600-OTH_20161104171200074_AI-1_0.xml"
    file.write_bytes(body)
    return file


@pytest.mark.parametrize(
    ("body", "status", "state"), [(TAKEN, "taken", "delivered"), (REFUSED, "refused", "failed")]
)
def test_its_word_finds_the_delivery(run: Run, body: bytes, status: str, state: str) -> None:
    said = run.way.send(of_version(1, Level.RED, "alert"), ROUTE, "the-key")
    answer(run, str(said.detail), body)
    assert run.way.listen_once() == 1
    (word,) = run.words
    assert (word.channel, word.carrier, word.key, word.status) == (
        RELEASE, "12379", "the-key", status,
    )  # fmt: skip
    meaning = meaning_of(RELEASE, status)
    assert meaning is not None
    assert (meaning.state, meaning.permanent) == (state, state == "failed")
    if status == "refused":
        assert word.detail == "1 E07 标识重复"


def test_an_answer_counts_once_and_again_where_the_log_had_no_room(run: Run) -> None:
    said = run.way.send(of_version(1, Level.RED, "alert"), ROUTE, "k")
    file = answer(run, str(said.detail), TAKEN)
    assert [run.way.listen_once() for _ in range(2)] == [1, 0]  # under way into the log
    run.words[0].done(False)
    assert run.way.listen_once() == 1
    run.words[1].done(True)
    assert run.way.listen_once() == 0
    run.way.close()
    run.open()
    assert run.way.listen_once() == 0
    assert file.exists(), "nothing of the platform's is deleted"


def test_what_is_no_answer_is_told_and_what_is_not_ours_is_left(run: Run) -> None:
    said = run.way.send(of_version(1, Level.RED, "alert"), ROUTE, "k")
    answer(run, "33060441600000_20161104152200", TAKEN)
    assert run.way.listen_once() == 0
    answer(run, str(said.detail), b"<html/>")
    assert [run.way.listen_once() for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    assert run.words[0].fault
    assert run.words[0].status == ""


def test_an_answer_that_is_half_there_is_read_when_it_is_whole(run: Run) -> None:
    said = run.way.send(of_version(1, Level.RED, "alert"), ROUTE, "k")
    answer(run, str(said.detail), REFUSED[:40])
    assert run.way.listen_once() == 0
    answer(run, str(said.detail), REFUSED)
    assert run.way.listen_once() == 1 and run.words[0].status == "refused"


def test_an_answer_that_cannot_be_fetched_is_asked_for_again_and_holds_up_no_other(
    run: Run,
) -> None:
    said = [
        str(run.way.send(of_version(1, Level.RED, "alert", alert=a), ROUTE, a).detail) for a in "ab"
    ]
    files = [answer(run, i, TAKEN) for i in said]
    place = run.way._place
    assert place is not None
    get = place.get

    def away(name: str) -> bytes:
        if name == files[0].name:
            raise SendError("450")
        return get(name)

    place.get = away  # type: ignore[method-assign]
    with pytest.raises(SendError):
        run.way.listen_once()
    assert [w.key for w in run.words] == ["b"]
    place.get = get  # type: ignore[method-assign]
    assert run.way.listen_once() == 1 and [w.key for w in run.words] == ["b", "a"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<msg/>",
        b"<msg><data><rows/></data></msg>",
        b"<!DOCTYPE a><msg/>",
        b"x" * 200_000,
    ],
)
def test_an_answer_without_a_row_is_none(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read_answer(body)


def test_one_row_that_is_refused_refuses_it() -> None:
    rows = b"<rows><status>0</status></rows><rows><status>2</status><note>x</note></rows>"
    assert not read_answer(b"<msg><data>" + rows + b"</data></msg>").taken
    assert read_answer(TAKEN).taken


def test_whose_answer_a_name_is() -> None:
    stem = f"{CODE}_20250727061001"
    assert whose(f"{stem}_AI.xml", [stem]) == stem
    assert whose(f"{stem}0000000_AI.xml", [stem]) == stem
    assert whose(f"{stem}_3_AI.xml", [f"{stem}_3", f"{stem}_4"]) == f"{stem}_3"
    assert whose(f"{CODE}_20250727061002_AI.xml", [stem]) == ""
    assert whose("note.txt", [stem]) == ""


@given(st.binary(max_size=400))
@examples(100)
def test_any_bytes_are_an_answer_or_none(body: bytes) -> None:
    with contextlib.suppress(Unreadable):
        read_answer(body)


def heard(word: CarrierWord) -> tuple[Box, list[Any]]:
    """The delivery of `the-key`, which the platform's folder has, and then this word on it."""
    sent = of_version(
        1,
        Level.RED,
        "alert",
        recipient=RELEASE_PLATFORM,
        expires_at=T0 + 9_000_000,
        routes=(Route(channel=RELEASE, text="x"),),
    )
    there = Receipt(delivery="d1", route=0, state="accepted", receipt_at=T0 + 1, attempt=1)
    box, out = Box(), []
    for record in (sent, there):
        out += apply(RULES, box, record)
    key = attempt_key(sent.alert, sent.version, RELEASE, RELEASE_PLATFORM)
    written = Receipts("p", True, lambda: T0 + 2000).word(
        box, word._replace(key=key), patient=False
    )
    assert written is not None
    (told,) = written
    if told.topic == "deliveries":
        out += apply(RULES, box, msgspec.json.decode(told.value, type=Receipt))
    return box, out


def test_what_the_platform_took_is_delivered_and_what_it_refuses_goes_to_the_duty_room(
    run: Run,
) -> None:
    said = run.way.send(of_version(1, Level.RED, "alert"), ROUTE, "k")
    file = answer(run, str(said.detail), TAKEN)
    run.way.listen_once()
    box, out = heard(run.words[0])
    assert (box.entries["d1"].state, out) == ("delivered", [])
    run.words[0].done(False)
    file.write_bytes(REFUSED)
    run.way.listen_once()
    box, out = heard(run.words[1])
    assert box.entries["d1"].state == "failed"
    (notice,) = [d for d in out if isinstance(d, Delivery)]
    assert notice.recipient.startswith("duty:")
    assert "E07 标识重复" in str(notice.routes[0].text)


# --- the ways


class FtpServer:
    """pyftpdlib on loopback, with folders `in` and `out`. strict: as some servers are, it renames onto no
    file that is there, and says 550 of an empty folder."""

    def __init__(self, root: Path, strict: bool = False) -> None:
        from pyftpdlib.authorizers import DummyAuthorizer
        from pyftpdlib.handlers import FTPHandler
        from pyftpdlib.servers import FTPServer

        for name in ("in", "out"):
            (root / name).mkdir()
        authorizer = DummyAuthorizer()
        authorizer.add_user("county", "secret", str(root), perm="elradfmw")

        class Handler(FTPHandler):
            auth_failed_timeout = 0.05  # seconds until it says so; 3 of its own

            def ftp_RNTO(self, path: str) -> Any:  # noqa: N802
                if self.server.strict and Path(path).exists():
                    self.respond("550 File exists.")
                    return None
                return super().ftp_RNTO(path)

            def ftp_NLST(self, path: str) -> Any:  # noqa: N802
                if self.server.strict and not list(Path(path).iterdir()):
                    self.respond("550 No files found.")
                    return None
                return super().ftp_NLST(path)

        Handler.authorizer = authorizer
        self.root = root
        self._server = FTPServer(("127.0.0.1", 0), Handler)
        self._server.strict = strict
        self.url = f"ftp://county@127.0.0.1:{self._server.address[1]}/in"
        self._open = True
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while self._open:
            self._server.serve_forever(timeout=0.05, blocking=False)
        self._server.close_all()

    def close(self) -> None:
        self._open = False
        self._thread.join()


@pytest.fixture(params=[False, True], ids=["usual", "strict"])
def ftp(tmp_path: Path, request: Any) -> Iterator[FtpServer]:
    root = tmp_path / "platform"
    root.mkdir()
    found = FtpServer(root, request.param)
    yield found
    found.close()


def test_a_real_ftp_server_has_the_file_whole_and_its_answer_is_read(
    ftp: FtpServer, tmp_path: Path
) -> None:
    district = connected()
    words: list[CarrierWord] = []
    place = Ftp(ftp.url, "/out", "secret", 60)
    cap = Cap(district, tmp_path / "cap")
    way = ReleasePlatform(district, cap, place, tmp_path, words.append, every_s=3600)
    try:
        said = way.send(of_version(1, Level.RED, "alert"), ROUTE, "k")
        assert way.listen_once() == 0
        way.send(of_version(1, Level.RED, "alert"), ROUTE, "k")  # again is the same
        (file,) = (ftp.root / "in").iterdir()
        assert root_of(file).findtext("identifier") == said.detail
        (ftp.root / "out" / f"{said.detail}_AI-1_0.xml").write_bytes(TAKEN)
        assert way.listen_once() == 1
        assert words[0].status == "taken"
    finally:
        way.close()


def test_an_ftp_server_that_refuses_or_is_away_is_tried_again(ftp: FtpServer) -> None:
    with pytest.raises(SendError) as e:
        Ftp(ftp.url, "", "wrong", 60).put("a.zip", b"x")
    assert not e.value.permanent
    assert "530" in en(e.value.detail)
    with pytest.raises(SendError) as e:
        Ftp("ftp://county@127.0.0.1:1/in", "", "secret", 5).put("a.zip", b"x")
    assert not e.value.permanent


def test_an_exercise_stays_in_the_runs_own_folder(ftp: FtpServer, tmp_path: Path) -> None:
    release = msgspec.structs.replace(SHEET, url=ftp.url, answers="/out", secret="env:NOT_THERE")
    district = connected(release)
    way = release_of(district, False, Cap(district, tmp_path / "cap"), tmp_path, lambda _: None)
    try:
        way.send(of_version(1, Level.RED, "alert", status="exercise"), ROUTE, "k")
    finally:
        way.close()
    (file,) = (tmp_path / "release12379" / "out").iterdir()
    root = root_of(file)
    assert root.findtext("status") == "Exercise"
    assert "演练" in root.findtext("note", "")
    assert list((ftp.root / "in").iterdir()) == []


def test_without_a_code_nobody_is_connected(tmp_path: Path) -> None:
    way = release_of(yanqing(), True, Cap(yanqing(), tmp_path), tmp_path, lambda _: None)
    with pytest.raises(SendError) as e:
        way.send(of_version(1, Level.RED, "alert"), ROUTE, "k")
    assert e.value.permanent
    way.close()
    assert [f.name for f in tmp_path.iterdir()] == []


def test_the_zip_is_the_same_for_the_same_message(tmp_path: Path) -> None:
    made = []
    for n in ("a", "b"):
        run = Run(tmp_path / n)
        run.send(of_version(1, Level.RED, "alert"))
        run.way.close()
        (file,) = run.out.glob("*")
        made.append(file.read_bytes())
    assert made[0] == made[1]
    assert zipfile.ZipFile(io.BytesIO(made[0])).testzip() is None


# --- who gets it, and what is wrong with the settings


def test_a_public_warning_goes_to_the_platform_where_one_is_connected() -> None:
    alert = alert_for("A01", level=Level.BLUE)
    channels = {t.recipient: t.channels for t in public(connected(), alert, ())}
    assert channels[RELEASE_PLATFORM] == (RELEASE,)
    assert RELEASE_PLATFORM not in {t.recipient for t in public(yanqing(), alert, ())}
    over = msgspec.structs.replace(alert, msg_type="cancel")
    assert RELEASE_PLATFORM not in {t.recipient for t in public(connected(), over, ())}
    assert RELEASE_PLATFORM in {t.recipient for t in public(connected(), over, (RELEASE_PLATFORM,))}


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ({"sender_code": "110119"}, "sender_code"),
        ({"web": "https://x.example"}, "sender_code"),
        ({"sender_code": CODE, "event_types": {"flod": "11A51"}}, "event_types.flod"),
        ({"sender_code": CODE, "event_types": {"crowd": "p0024"}}, "event_types.crowd"),
        ({"sender_code": CODE, "orders": {"move": "Purple"}}, "orders.move"),
        ({"sender_code": CODE, "url": "http://x"}, "url"),
        ({"sender_code": CODE, "url": "ftp://a:b@x/in"}, "url"),
        ({"sender_code": CODE, "answers": "out"}, "answers"),
        ({"sender_code": CODE, "secret": "hunter2"}, "secret"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named(said: dict[str, Any], key: str) -> None:
    assert f"release.{key}" in {p.column for p in release_problems(Release(**said))}
    assert release_problems(SHEET) == release_problems(Release()) == []


def test_our_own_identifier_stays_out_of_the_file(run: Run) -> None:
    d = of_version(1, Level.RED, "alert")
    run.way.send(d, ROUTE, "k")
    (file,) = run.out.glob("*")
    with zipfile.ZipFile(file) as z:
        assert identifier(run.district, d).encode() not in z.read(z.namelist()[0])
