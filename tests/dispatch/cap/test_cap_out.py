"""CAP going out: signed, read and verified by programs that are not ours, listed as Atom and RSS, on
MQTT, pushed to a neighbour, whose answer comes back to the delivery."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import feedparser
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from config.language import Text
from config.records.district import District
from config.records.level import Action, Level
from config.records.sources import Neighbour, Sources
from detectors.detection import Acknowledgement
from dispatch.address.recipients import public
from dispatch.address.stage import Address
from dispatch.cap.acknowledgements import keys_of
from dispatch.cap.feed import FEED, RSS
from dispatch.cap.message import NAMESPACE, alert_of, build, identifier
from dispatch.cap.national_fields import CERTAINTY, FORMATS, fields, rows
from dispatch.cap.neighbours import CHANNEL, recipient
from dispatch.cap.publish import Cap
from dispatch.cap.push import CapPush
from dispatch.cap.signing import cap_key
from dispatch.channels import SendError
from dispatch.geography.concerned import concerned
from dispatch.records import Alert, Delivery, Receipt, Route, attempt_key
from dispatch.send.outbox.apply import Box, Rules, apply
from ingest.cap.decode import SIGNATURE
from ingest.cap.interpret import Hearing
from ingest.observation import CapIn, CapRef
from stream.records import DeadLetter, Record, Run, Tick
from stream.stages.stage import Item
from tests.support.cap_world import HUAILAI, hearing, key_of, sources
from tests.support.cap_xml import ROUTE, T0, alert_for, delivery
from tests.support.decide_district import yanqing

NS = {"c": NAMESPACE}
XSD = Path(__file__).parents[3] / "ingest" / "cap" / "schema" / "CAP-v1.2.xsd"


def reaching(url: str, **changes: Any) -> District:
    """Yanqing with Huailai behind `url`."""
    row = Neighbour(id=HUAILAI, exercise_url=url, **{"basins": ("B01",), **changes})
    district = hearing(neighbour={HUAILAI: row})
    patient = msgspec.structs.replace(district.channels, attempt_timeout_s=60)
    return msgspec.structs.replace(district, channels=patient)


def one_of_each() -> Iterator[Delivery]:
    for n, (level, action, kind) in enumerate(
        (
            (Level.RED, Action.MOVE, "alert"),
            (Level.ORANGE, Action.NONE, "update"),
            (Level.NONE, Action.NONE, "cancel"),
        ),
        1,
    ):
        yield delivery(
            level=level, action=action, msg_type=kind, version=n, queued_at=T0 + n * 1000
        )


@pytest.fixture
def published(tmp_path: Path) -> list[Path]:
    """An alert, its update and its cancel, signed."""
    cap = Cap(yanqing(), tmp_path / "cap", key_of("us").sign)
    return [tmp_path / "cap" / f"{cap.send(d, ROUTE, 'k').detail}.xml" for d in one_of_each()]


@pytest.mark.servers
def test_xmlsec1_verifies_what_we_sign_and_finds_a_changed_byte(
    published: list[Path], tmp_path: Path
) -> None:
    xmlsec1 = shutil.which("xmlsec1")
    if xmlsec1 is None:
        if os.environ.get("CI") == "true":
            pytest.fail("xmlsec1 is not here: apt-get install xmlsec1")
        pytest.skip("xmlsec1 is not here: apt-get install xmlsec1")
    pem = tmp_path / "us.pem"
    pem.write_text(key_of("us").pem())
    other = tmp_path / "other.pem"
    other.write_text(key_of("weather").pem())

    def verify(file: Path, certificate: Path) -> int:
        words = [xmlsec1, "--verify", "--pubkey-cert-pem", str(certificate), str(file)]
        return subprocess.run(words, capture_output=True).returncode

    for file in published:
        assert verify(file, pem) == 0
        assert verify(file, other) != 0
        changed = tmp_path / "changed.xml"
        changed.write_bytes(file.read_bytes().replace("香屯村".encode(), "沙门村".encode(), 1))
        assert verify(changed, pem) != 0


def test_independent_programs_read_what_we_write(published: list[Path]) -> None:
    import xmlschema
    from cap_tools.models import Alert as TheirAlert
    from xsdata.formats.dataclass.parsers import XmlParser

    schema = xmlschema.XMLSchema(str(XSD))
    kinds = []
    for file in published:
        schema.validate(str(file))
        found = XmlParser().parse(str(file), TheirAlert)
        kinds.append(found.msg_type.value)
        assert found.status.value == "Exercise"
        assert [i.language for i in found.infos] == ["zh-CN", "en-US"]
        assert "演练" in str(found.infos[0].headline)
        (area,) = found.infos[0].areas
        assert [g.value.value for g in area.geocodes] == [yanqing().areas["A01"].division]
        assert found.sent.to_datetime().timestamp() * 1000 == T0 // 1000 * 1000 + 1000 * len(kinds)
    assert kinds == ["Alert", "Update", "Cancel"]


def test_the_same_delivery_gives_the_same_signed_bytes(tmp_path: Path) -> None:
    made = []
    for n in (1, 2):
        cap = Cap(yanqing(), tmp_path / str(n), key_of("us").sign)
        made.append(cap.message(delivery(), ROUTE))
    assert made[0] == made[1]
    root = etree.fromstring(made[0])
    assert root[-1].tag == SIGNATURE


def test_another_fengsui_takes_what_we_write(published: list[Path]) -> None:
    """What went out is what comes in: as an exercise, in a county that lies downstream."""
    found = []
    us = msgspec.structs.replace(
        sources().source[HUAILAI], senders=(yanqing().sender,), downstream=()
    )
    there = hearing(source={HUAILAI: us}, certificates={"huailai.pem": key_of("us").pem()})
    for file in published:
        heard = Hearing(there, False).heard(file.read_bytes(), T0 + 5000)
        assert isinstance(heard, CapIn), heard
        found.append(
            (heard.msg_type, [(s.area, s.level) for s in heard.says], len(heard.references))
        )
    touched = {a for a, _ in found[0][1]}
    assert "A01" in touched
    assert {lv for _, lv in found[0][1]} == {Level.RED}
    assert {lv for _, lv in found[1][1]} == {Level.ORANGE}
    assert [f[0] for f in found] == ["alert", "update", "cancel"]
    assert [f[2] for f in found] == [0, 1, 2]
    assert found[2][1] == []
    assert Hearing(there, True).heard(published[0].read_bytes(), T0).reason == "wrong_status"  # type: ignore[union-attr]


def test_feedparser_reads_both_feeds_alike(published: list[Path], tmp_path: Path) -> None:
    channels = msgspec.structs.replace(yanqing().channels, cap_url="https://cap.example/yq/")
    district = msgspec.structs.replace(yanqing(), channels=channels)
    Cap(district, tmp_path / "cap").send(delivery(version=4, queued_at=T0 + 9000), ROUTE, "k")
    links = []
    for name in (FEED, RSS):
        found = feedparser.parse((tmp_path / "cap" / name).read_bytes())
        assert not found.bozo, found.get("bozo_exception")
        assert len(found.entries) == 4
        links.append([e.links[0].href for e in found.entries])
        assert len({e.id for e in found.entries}) == 4
    assert links[0] == links[1]
    assert links[0][0] == f"https://cap.example/yq/{identifier(district, delivery(version=4))}.xml"


def test_the_message_goes_to_mqtt_and_is_tried_again_while_the_broker_is_away(
    tmp_path: Path,
) -> None:
    got: list[tuple[str, bytes]] = []
    away = [True]

    def publish(topic: str, body: bytes) -> None:
        if away[0]:
            raise ConnectionError("away")
        got.append((topic, body))

    cap = Cap(yanqing(), tmp_path, key_of("us").sign, publish, "fengsui/exercise/yanqing")
    with pytest.raises(SendError) as e:
        cap.send(delivery(), ROUTE, "k")
    assert not e.value.permanent
    assert (tmp_path / FEED).exists()  # the feed has it meanwhile
    away[0] = False
    name = cap.send(delivery(), ROUTE, "k").detail
    assert got == [
        ("fengsui/exercise/yanqing/cap/A01/flash_flood", (tmp_path / f"{name}.xml").read_bytes())
    ]


def test_the_key_is_the_runs_own_and_nobody_else_may_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = cap_key(tmp_path, yanqing(), live=False)
    assert cap_key(tmp_path, yanqing(), live=False).pem() == key.pem()
    secret = tmp_path / "keys" / "cap.key"
    assert secret.stat().st_mode & 0o077 == 0
    monkeypatch.setenv("FENGSUI_CAP_KEY", "/live/key")
    monkeypatch.setenv("FENGSUI_CAP_CERTIFICATE", "/live/certificate")
    # an exercise never holds the live key
    assert cap_key(tmp_path, yanqing(), live=False).pem() == key.pem()
    with pytest.raises(ValueError, match="/live/key"):
        cap_key(tmp_path, yanqing(), live=True)
    monkeypatch.delenv("FENGSUI_CAP_CERTIFICATE")
    with pytest.raises(ValueError, match="name both"):
        cap_key(tmp_path, yanqing(), live=True)
    monkeypatch.delenv("FENGSUI_CAP_KEY")
    secret.chmod(0o644)
    with pytest.raises(ValueError, match="others may read"):
        cap_key(tmp_path, yanqing(), live=False)
    secret.chmod(0o600)
    assert (tmp_path / "keys" / "cap.pem").read_text() == key.pem()
    other = tmp_path / "other.pem"
    other.write_text(key_of("us").pem())
    monkeypatch.setenv("FENGSUI_CAP_KEY", str(secret))
    monkeypatch.setenv("FENGSUI_CAP_CERTIFICATE", str(other))
    with pytest.raises(ValueError, match="another key"):
        cap_key(tmp_path, yanqing(), live=True)
    monkeypatch.setenv("FENGSUI_CAP_CERTIFICATE", str(tmp_path / "keys" / "cap.pem"))
    assert cap_key(tmp_path, yanqing(), live=True).pem() == key.pem()
    secret.write_text("no key")
    with pytest.raises(ValueError, match=r"cap\.key"):
        cap_key(tmp_path, yanqing(), live=False)


def test_a_key_that_does_not_sign_what_its_certificate_verifies_is_refused(tmp_path: Path) -> None:
    """Of the run's own file the numbers are not tried one by one."""
    cap_key(tmp_path, yanqing(), live=False)
    secret = tmp_path / "keys" / "cap.key"
    body = secret.read_bytes()
    key = serialization.load_pem_private_key(body, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    n = key.private_numbers()
    wrong = rsa.RSAPrivateNumbers(
        n.p, n.q, n.d + 2, n.dmp1 + 2, n.dmq1, n.iqmp, n.public_numbers
    ).private_key(unsafe_skip_rsa_key_validation=True)
    private = wrong.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    secret.write_bytes(private + body[body.index(b"-----BEGIN CERTIFICATE") :])
    with pytest.raises(ValueError, match="another key"):
        cap_key(tmp_path, yanqing(), live=False)


def test_of_many_who_make_the_key_at_once_all_have_the_same(tmp_path: Path) -> None:
    found: list[str] = []

    def make() -> None:
        found.append(cap_key(tmp_path, yanqing(), live=False).pem())

    threads = [threading.Thread(target=make) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(found) == 4
    assert len(set(found)) == 1


class Endpoint:
    """A neighbour's server that answers as it is told."""

    def __init__(self) -> None:
        self.status, self.answer = 202, b"{}"
        self.got: list[tuple[dict[str, str], bytes]] = []
        end = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                end.got.append((dict(self.headers), body))
                self.send_response(end.status)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.send_header("Content-Length", str(len(end.answer)))
                self.end_headers()
                self.wfile.write(end.answer)

            def log_message(self, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/cap"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    found = Endpoint()
    yield found
    found.close()


def pushing(url: str, folder: Path) -> CapPush:
    district, sign = reaching(url), key_of("us").sign
    return CapPush(district, False, Cap(district, folder / "cap", sign), sign, folder)


def to_huailai(**changes: Any) -> Delivery:
    return delivery(recipient=recipient(HUAILAI), **changes)


def test_the_published_message_is_posted_with_its_key_and_token(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / f"cap-push-{HUAILAI}.token").write_text("secret-of-huailai\n")
    push = pushing(endpoint.url, tmp_path)
    assert push.send(to_huailai(), ROUTE, "key-1")[:2] == ("accepted", "HTTP 202")
    ((headers, body),) = endpoint.got
    assert headers["X-Idempotency-Key"] == "key-1"
    assert headers["Authorization"] == "Bearer secret-of-huailai"
    assert headers["Content-Type"].startswith("application/cap+xml")
    (file,) = (tmp_path / "cap").glob("*.xml")
    assert body == file.read_bytes()
    push.send(to_huailai(), ROUTE, "key-1")
    assert endpoint.got[1][1] == body


@pytest.mark.parametrize(
    ("status", "answer", "permanent", "words"),
    [
        (400, b'{"reason": "bad_signature"}', True, "HTTP 400 bad_signature"),
        (400, b'{"reason": "call 13912345678"}', True, "HTTP 400"),
        (400, b"[[[[", True, "HTTP 400"),
        (401, b"", True, "HTTP 401"),
        (429, b"", False, "HTTP 429"),
        (503, b"x" * 100_000, False, "HTTP 503"),
        (302, b"", False, "HTTP 302"),  # never followed
    ],
)
def test_what_the_neighbours_endpoint_says(
    endpoint: Endpoint, tmp_path: Path, status: int, answer: bytes, permanent: bool, words: str
) -> None:
    endpoint.status, endpoint.answer = status, answer
    with pytest.raises(SendError) as e:
        pushing(endpoint.url, tmp_path).send(to_huailai(), ROUTE, "k")
    told = Text("对方未收：", "not taken: ") + words
    assert (e.value.detail, e.value.permanent) == (told, permanent)


def test_nobody_there_is_tried_again_and_nobody_declared_is_not(tmp_path: Path) -> None:
    with pytest.raises(SendError) as e:
        pushing("http://127.0.0.1:1/cap", tmp_path).send(to_huailai(), ROUTE, "k")
    assert not e.value.permanent
    with pytest.raises(SendError) as e:
        pushing("http://127.0.0.1:1/cap", tmp_path).send(delivery(recipient="C-1"), ROUTE, "k")
    assert e.value.permanent


def test_an_exercise_posts_to_this_machine_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="this machine only"):
        pushing("https://huailai.example/cap", tmp_path)


def test_a_reply_is_an_ack_or_error_that_names_their_message(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    theirs = "fengsui@huailai.example,130730-exercise-x-1,2025-07-27T06:10:00+08:00"
    d = to_huailai(reply="error", references=theirs, alert="reply-1")
    route = Route(channel=CHANNEL, text="不涉及我县")
    pushing(endpoint.url, tmp_path).send(d, route, "k")
    root = etree.fromstring(endpoint.got[0][1])
    assert root.findtext("c:msgType", namespaces=NS) == "Error"
    assert root.findtext("c:references", namespaces=NS) == theirs
    assert root.findtext("c:note", namespaces=NS) == "不涉及我县"
    assert root.find(SIGNATURE) is not None
    import xmlschema

    xmlschema.XMLSchema(str(XSD)).validate(etree.tostring(root).decode())
    assert not list((tmp_path / "cap").glob("*.xml"))  # it is between the two of us


def test_neighbours_get_what_touches_them_from_their_level_on() -> None:
    url = "http://127.0.0.1:9/cap"
    district = reaching(url, min_level="orange")
    other = next(a.id for a in district.areas.values() if a.basin != "B01")

    def goes(alert: Alert, d: District = district, known: tuple[str, ...] = ()) -> bool:
        return recipient(HUAILAI) in {t.recipient for t in public(d, alert, known)}

    assert not goes(alert_for("A01"))
    assert goes(alert_for("A01", level=Level.ORANGE))
    assert goes(alert_for("A01", level=Level.BLUE, action=Action.PREPARE))  # an order always goes
    assert not goes(alert_for(other, level=Level.RED))
    assert goes(alert_for(other, level=Level.RED), reaching(url, areas=(other,)))
    # whoever was told hears that it is over
    over = alert_for("A01", msg_type="cancel", level=Level.NONE, state="cancelled")
    assert goes(over, known=(recipient(HUAILAI),))
    assert not goes(over)
    # a live run has another address, and there is none
    assert not goes(alert_for("A01", level=Level.RED, status="actual"))
    ring = district.areas[other].polygon
    border = tuple((x + 0.0005, y) for x, y in ring)
    assert [n.id for n in concerned(reaching(url, basins=(), border=border), other, False)] == [
        HUAILAI
    ]
    far = tuple((x + 5, y) for x, y in ring)
    assert list(concerned(reaching(url, basins=(), border=far), other, False)) == []


def test_without_sources_nothing_is_different() -> None:
    assert yanqing().sources == Sources("", {}, {}, {}) or yanqing().sources.neighbour
    assert all(
        not t.recipient.startswith("neighbour:") for t in public(yanqing(), alert_for("A01"), ())
    )


RULES = Rules(live=False, retry_s=(5,), played_within_s=60, answer_within_s=60, areas={})


def boxed(*records: Record) -> tuple[Box, list[Any]]:
    box, out = Box(), []
    for r in records:
        out += apply(RULES, box, r)  # type: ignore[arg-type]
    return box, out


def pushed(**changes: Any) -> Delivery:
    route = Route(channel=CHANNEL, text="x")
    return to_huailai(
        alert="a-1", routes=(route,), queued_at=T0, deadline_at=T0 + 60_000, **changes
    )


def answer(accepted: bool, name: str = "a-1", note: str = "收到") -> Acknowledgement:
    made = Acknowledgement(
        neighbour=HUAILAI,
        references=(
            CapRef(
                sender=yanqing().sender,
                identifier=identifier(yanqing(), delivery(alert=name)),
                sent_at=T0,
            ),
        ),
        accepted=accepted,
        answered_at=T0 + 9000,
        note=note,
    )
    return msgspec.structs.replace(made, keys=keys_of(yanqing(), made))


TAKEN = Receipt(delivery="d1", route=0, state="accepted", receipt_at=T0 + 1000, attempt=1)


def test_accepted_by_their_system_is_not_accepted_by_them() -> None:
    box, _ = boxed(pushed(), TAKEN)
    assert (box.entries["d1"].state, box.entries["d1"].done) == ("accepted", True)
    box, out = boxed(pushed(), TAKEN, answer(True))
    assert (box.entries["d1"].state, box.entries["d1"].done) == ("answered", True)
    assert [r.state for r in out if isinstance(r, Receipt)] == ["answered"]


@pytest.mark.parametrize("failures", [0, 2])
def test_a_refusal_goes_to_the_duty_room_once(failures: int) -> None:
    before = [
        Receipt(delivery="d1", route=0, state="failed", receipt_at=T0 + n, attempt=n)
        for n in range(1, failures + 1)
    ]
    last = msgspec.structs.replace(TAKEN, attempt=failures + 1)
    records: list[Record] = [pushed(), *before, last, answer(False, note="不涉及我县")]
    box, out = boxed(*records)
    notices = [d for d in out if isinstance(d, Delivery)]
    assert len(notices) == 1
    assert "不涉及我县" in notices[0].routes[0].text
    assert box.entries["d1"].state == "failed"
    # reading back what it wrote changes nothing
    again = [w for r in out if isinstance(r, Receipt | Delivery) for w in apply(RULES, box, r)]
    assert again == []
    # and they may think better of it
    apply(RULES, box, answer(True))
    assert box.entries["d1"].state == "answered"


def test_an_answer_to_what_we_did_not_send_is_a_dead_letter() -> None:
    _, out = boxed(pushed(), answer(True, name="other"))
    assert [type(r) for r in out] == [DeadLetter]
    _, out = boxed(pushed(), msgspec.structs.replace(answer(True), keys=()))
    assert [r.reason for r in out] == ["unknown_delivery"]


@pytest.mark.parametrize(
    "alert", ["a-1", "yanqing-A01-flash_flood-20250726T1410", "汛/1", "a_b", "x-9-"]
)
def test_our_identifiers_lead_back_to_the_alert(alert: str) -> None:
    name = identifier(yanqing(), delivery(alert=alert, version=12))
    assert alert_of(yanqing(), name) == (alert, 12)


@pytest.mark.parametrize(
    "name", ["", "x", "110119-exercise-1", "130730-exercise-a-1", "110119-a-1-1"]
)
def test_other_names_lead_nowhere(name: str) -> None:
    assert alert_of(yanqing(), name) is None


def test_address_sends_our_word_to_the_neighbour_and_theirs_to_the_delivery() -> None:
    from dispatch.records import Decision

    stage = Address(reaching("http://127.0.0.1:9/cap"))
    state = stage.new(0)
    run = Run(name="exercise", kind="exercise", district="yanqing", config="c", start_at=T0)
    word = Decision(
        area="",
        hazard="",
        act="accept",
        by="P-1",
        decided_at=T0,
        reason="收到",
        alert=f"{HUAILAI} s@x,i,2025-07-27T06:10:00+08:00",
        hash="h",
    )
    bare = msgspec.structs.replace(answer(True), keys=())
    lost = msgspec.structs.replace(word, alert="nobody a,b,c")
    records = (run, word, bare, lost, Tick(clock_at=T0))
    _, writes = stage.step(state, [Item(0, n, "", r) for n, r in enumerate(records)])
    made = [w.record for w in writes]
    (sent,) = [r for r in made if isinstance(r, Delivery)]
    assert (sent.reply, sent.recipient, sent.status) == ("ack", recipient(HUAILAI), "exercise")
    (told,) = [r for r in made if isinstance(r, Acknowledgement)]
    assert told.keys == (attempt_key("a-1", 1, CHANNEL, recipient(HUAILAI)),)


@pytest.mark.parametrize("name", FORMATS)
def test_every_row_of_a_national_format_leads_into_our_message(name: str) -> None:
    body = key_of("us").sign(build(yanqing(), delivery(), ROUTE))
    found = {f.row.element: f for f in fields(body, name)}
    assert len(found) == len(rows(name))
    for field in found.values():
        assert field.row.certainty in CERTAINTY
        absent = field.row.rule == "none" or field.row.element in (
            *("restriction", "references", "circle"),
        )
        assert bool(field.value) != absent, field
    assert found["severity"].value == "Red"
    assert found["sendTime"].value == "2025-07-27 06:10:00+08:00"
    assert found["geocode"].value == yanqing().areas["A01"].division
