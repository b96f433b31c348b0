"""What a person reads of a record is one language at a time: a record holds the pair, and one of an older
build, which has both in one string, or a person's own words, is read as it was."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from config.language import Language, Said, Text, choose, each, en, zh
from config.load import load
from config.records.level import Level
from dispatch.cap.message import NAMESPACE, build
from dispatch.ledger.decisions import broken, chained
from dispatch.records import Decision, Receipt, Report, Route, RouteHealth
from dispatch.send.outbox.state import Rules
from dispatch.send.outbox.undelivered import list_of_missed, notice, route_notice
from dispatch.signatures.proof import signed, verified
from stream.guard import letter
from stream.records import DeadLetter, Record, Rejected, encode
from tests.support.cap_xml import delivery
from tests.support.decide_district import OTHER, Line, act, mark, real, seen
from tests.support.examples import examples

PAIR = Text("黄色待会商决定。", "yellow waits for a decision.")
OLD = "黄色待会商决定。yellow waits for a decision."
LANGUAGES: tuple[Language, ...] = ("zh", "en")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def decision(reason: Said, answer: Said = "") -> Decision:
    return Decision(
        area="A01", hazard="flash_flood", act="hold", by="D-01", decided_at=1, reason=reason,
        answer=answer, order="o1", reference="〔2026〕7号",
    )  # fmt: skip


def of(said: Said) -> list[Record]:
    return [
        decision(said, said),
        Report(incident="i", number=1, kind="初报", reported_at=1, alerts=(), text=said),
        Receipt(delivery="d", route=0, state="failed", receipt_at=1, detail=said),
        RouteHealth(channel="sms", carrier="a", up=False, checked_at=1, by="probe", detail=said),
        DeadLetter(received_at=1, source="s", reason="bad_payload", detail=said, payload=""),
        delivery(routes=(Route(channel="console", title=said, text=said),)),
    ]


def words(record: Record) -> list[Said]:
    match record:
        case Decision():
            return [record.reason, record.answer]
        case Report():
            return [record.text]
        case Receipt() | RouteHealth() | DeadLetter():
            return [record.detail]
        case _:
            route = record.routes[0]  # type: ignore[attr-defined]
            return [route.title, route.text]


@pytest.mark.parametrize("n", range(len(of(""))))
def test_a_record_holds_the_pair_and_an_old_one_its_string(n: int) -> None:
    new, old = of(PAIR)[n], of(OLD)[n]
    assert b'["' + PAIR.zh.encode() in encode(new)
    for record in (new, old):
        assert msgspec.json.decode(encode(record), type=type(record)) == record
        packed = msgspec.msgpack.encode(record)  # as snapshots are
        assert msgspec.msgpack.decode(packed, type=type(record)) == record
    assert [choose(w, "zh") for w in words(new)] == [PAIR.zh] * len(words(new))
    assert [choose(w, "en") for w in words(new)] == [PAIR.en] * len(words(new))
    assert {choose(w, lang) for w in words(old) for lang in LANGUAGES} == {OLD}


@examples(100)
@given(st.text(max_size=40), st.text(max_size=40), st.integers(0, 50))
def test_each_half_is_changed_alike(a: str, b: str, at_most: int) -> None:
    assert each(Text(a, b), lambda half: half[:at_most]) == Text(a[:at_most], b[:at_most])
    assert each(a, lambda half: half[:at_most]) == a[:at_most]


def test_each_half_of_a_dead_letter_is_cut_and_cleaned() -> None:
    out = letter(1, "s", Rejected("bad_payload", Text("错\ud800" * 400, "w\x00" * 400)))
    made = msgspec.json.decode(out.value, type=DeadLetter)
    assert isinstance(made.detail, Text)
    assert len(made.detail.zh) == len(made.detail.en) == 400


def test_a_signature_made_before_is_right_after() -> None:
    """An order in flight at the restart: signed by the build before, judged by this one."""
    before = signed(decision("等会商"), b"k" * 32, "live", "yanqing")
    assert before.proof is not None
    # SHA-256 of ["等会商","〔2026〕7号"], as the build before wrote it
    assert before.proof.words == "efc8cc14721415d31ffa7327c7ca25ed4cab3d8ddc5998676529d07d7eba205c"
    assert verified(before, "live", "yanqing")
    answered = msgspec.structs.replace(before, outcome="done", answer=PAIR)
    again = msgspec.json.decode(encode(answered), type=Decision)
    assert verified(again, "live", "yanqing")
    paired = signed(decision(PAIR), b"k" * 32, "live", "yanqing")
    same = signed(decision(str(PAIR)), b"k" * 32, "live", "yanqing")
    assert paired.proof == same.proof


def test_a_chain_goes_on_from_what_an_older_build_wrote() -> None:
    old = chained("", decision("等会商", OLD))
    new = chained(old.hash, decision("等会商", PAIR))
    read = [msgspec.json.decode(encode(d), type=Decision) for d in (old, new)]
    assert broken(read) is None
    assert broken([old, msgspec.structs.replace(new, answer=str(PAIR))]) == 1


@pytest.mark.parametrize(
    ("said", "lang"), [(PAIR, "zh"), (PAIR, "en"), ("一句话。", "zh"), ("One sentence.", "en")]
)
@pytest.mark.parametrize("audience", ["public", "internal"])
def test_a_block_of_cap_speaks_one_language(said: Said, lang: str, audience: str) -> None:
    district = load(Path(__file__).parents[2] / "config" / "yanqing")
    d = delivery(lang=lang, audience=audience)
    body = etree.fromstring(build(district, d, Route(channel="cap", title=said, text=said)))
    for info in body.iterfind("c:info", {"c": NAMESPACE}):
        told = [info.findtext(f"c:{x}", namespaces={"c": NAMESPACE}) for x in SPOKEN]
        chinese = info.findtext("c:language", namespaces={"c": NAMESPACE}) == "zh-CN"
        assert all(bool(CHINESE.search(str(x))) == chinese for x in told), told
        assert isinstance(said, str) or (PAIR.zh if chinese else PAIR.en) in str(told)
    top = [
        x.text for x in body if isinstance(x.tag, str) and x.tag.endswith(("note", "restriction"))
    ]
    assert top and not any(re.search("[a-z]{3}", str(x)) for x in top)


SPOKEN = ("event", "senderName", "headline", "description", "instruction")


def test_the_duty_room_is_told_in_each_language_by_itself() -> None:
    d = delivery(level=Level.RED)
    told = notice(d, Text("香屯村", "Xiangtun"), 1, Text("各渠道均失败", "all routes failed"))
    down = route_notice(of(Text("连不上", "no connection"))[3], False)  # type: ignore[arg-type]
    for made in (told, down):
        for said in (made.routes[0].title, made.routes[0].text):
            assert CHINESE.search(zh(said)) and not CHINESE.search(en(said)), said
        assert en(made.routes[0].text).startswith("EXERCISE.")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_superior_has_the_list_in_their_own_language(lang: Any) -> None:
    rules = Rules(
        False, (5,), 180, 300, {"A01": "香屯村"}, areas_en={"A01": "Xiangtun"},
        not_woken_lang={"boss": lang}, signature="延庆防汛",
    )  # fmt: skip
    (made,) = list_of_missed(rules, [delivery()], "boss", ("sms", "app"), 1)
    sms, app = made.routes
    assert made.lang == lang
    assert (
        bool(CHINESE.search(str(app.text)))
        == bool(CHINESE.search(str(app.title)))
        == (lang == "zh")
    )
    assert sms.text == f"【延庆防汛】{app.text}"


def test_what_decide_says_is_a_pair() -> None:
    """Of each act what came of it, and of each version why, in each language by itself."""
    line = Line(real())
    line.feed(
        seen(0, Level.ORANGE),
        *(act("release", by=who, reason="7/29") for who in ("K-01", "K-01", "D-01")),
    )
    line.feed(act("cancel", by="X-99", reason="7/29"), mark(1), mark(1, group=OTHER))
    said = [a.reason for a in line.alerts] + [d.answer for d in line.decisions if d.by != "policy"]
    said += [d.reason for d in line.decisions if d.by == "policy"] + [r.text for r in line.reports]
    assert {d.outcome for d in line.decisions} == {"done", "refused"} and line.reports
    for one in said:
        assert isinstance(one, Text), one
        assert CHINESE.search(one.zh) and not re.search(r"[a-z]{2,} [a-z]{2,}", one.zh), one
        assert not CHINESE.search(one.en), one
