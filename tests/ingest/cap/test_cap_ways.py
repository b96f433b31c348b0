"""The ways in: HTTP, a feed that is asked, MQTT; each durable before it is acknowledged, each safe in
an exercise."""

import contextlib
import gzip
import http.client
import json
import re
import socket
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.records.sources import Source
from detectors.detection import Detection
from dispatch.cap.feed import FEED, RSS
from dispatch.cap.feed_server import FeedServer
from dispatch.cap.publish import Cap
from ingest.cap.decode import MAX_BYTES, Wrong
from ingest.cap.feed_entries import entries
from ingest.cap.feed_poller import Poller
from ingest.cap.http_server import CapServer
from ingest.cap.intake import FOLDER, CapDoor
from ingest.cap.listeners import cap_ways, endpoint_token
from ingest.observation import CapIn
from ingest.stage import Intake
from stream.disk.blobs import FrameStore
from stream.log.port import Log, Unavailable
from stream.mqtt.client import Message
from stream.records import Run
from tests.support.cap_ways import Feed, letters, listed, names, poller, taken
from tests.support.cap_world import HUAILAI, WEATHER, hearing, key_of, message, signed, sources
from tests.support.cap_xml import ROUTE, delivery
from tests.support.decide_district import T0

TOKEN = "a-token-of-some-length"


@pytest.fixture
def door(tmp_path: Path) -> CapDoor:
    return CapDoor(hearing(), True, tmp_path)


@pytest.fixture
def server(door: CapDoor, log: Log) -> Iterator[CapServer]:
    found = CapServer(door, log, "127.0.0.1", 0, TOKEN, lambda: T0)
    yield found
    found.close()


def post(
    server: CapServer, body: bytes | Iterator[bytes], **headers: str
) -> tuple[int, dict[str, Any]]:
    host = server.url.split("/")[2]
    connection = http.client.HTTPConnection(host, timeout=60)
    given = {"Authorization": f"Bearer {TOKEN}", **headers}
    connection.request("POST", "/cap", body, {k.replace("_", "-"): v for k, v in given.items()})
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read())
    connection.close()
    return found


def test_a_post_is_in_the_log_and_on_disk_when_it_is_answered(
    server: CapServer, log: Log, tmp_path: Path
) -> None:
    body = signed(message())
    status, answer = post(server, body)
    assert (status, answer["state"], answer["source"]) == (202, "taken", WEATHER)
    found = taken(log)
    assert len(found) == hearing().partitions
    assert FrameStore(tmp_path / FOLDER, ".xml").get(found[0].ref) == body


def test_a_list_by_http_is_answered_message_by_message_also_packed(
    server: CapServer, log: Log, tmp_path: Path
) -> None:
    good, bad = signed(message("W1")), message("W2")
    inner = [b[b.index(b"<alert") :] for b in (good, bad)]
    body = b"<alerts>" + b"".join(inner) + b"</alerts>"
    for sent in (body, b"\xef\xbb\xbf" + body, gzip.compress(body)):
        status, answer = post(server, sent, Content_Type="text/plain", Content_Encoding="gzip")
        assert (status, answer["state"]) == (202, "taken")
        assert [m["state"] for m in answer["messages"]] == ["taken", "rejected"]
        assert answer["messages"][1]["reason"] == "unsigned"
        assert "2" in answer["messages"][1]["detail"]
    assert {f.identifier for f in taken(log)} == {"W1"}
    assert letters(log) == ["unsigned"] * 3
    kept = FrameStore(tmp_path / FOLDER, ".xml").get(taken(log)[0].ref)
    assert kept is not None
    assert b"<identifier>W1" in kept
    assert b"<identifier>W2" not in kept
    status, answer = post(server, b"<alerts>" + inner[1] + inner[1] + b"</alerts>")
    assert (status, answer["state"]) == (400, "rejected")


def test_what_deviates_is_said_to_whoever_sent_it(server: CapServer) -> None:
    bent = signed(message().replace(b"<severity>Extreme", b"<severity>extreme"))
    status, answer = post(server, bent)
    assert (status, answer["state"]) == (202, "taken")
    assert any("severity" in d for d in answer["deviations"])


def test_a_bad_post_is_a_dead_letter_with_its_reason(server: CapServer, log: Log) -> None:
    status, answer = post(server, message())
    assert (status, answer["reason"]) == (400, "unsigned")
    assert letters(log) == ["unsigned"]
    assert taken(log) == []


def test_who_has_no_token_or_sends_too_much_is_not_read(server: CapServer, log: Log) -> None:
    assert post(server, b"x", Authorization="Bearer wrong")[0] == 401
    assert post(server, b"x", Authorization="")[0] == 401
    assert post(server, b"x", Content_Length=str(MAX_BYTES + 1))[0] == 413
    host, port = server.url.split("/")[2].split(":")
    for request in (b"POST /cap HTTP/1.0\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n", b"\0\0\r\n\r\n"):
        with socket.create_connection((host, int(port)), timeout=60) as s:
            s.sendall(request)
            assert s.recv(100)
    # one who goes away half way leaves nothing, and the next is served
    with socket.create_connection((host, int(port)), timeout=60) as s:
        s.sendall(
            f"POST /cap HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 9\r\n\r\n<a".encode()
        )
    assert post(server, signed(message()))[0] == 202
    assert letters(log) == []


def test_a_post_in_chunks_is_read_within_the_same_bound(server: CapServer, log: Log) -> None:
    body = signed(message())
    pieces = [body[n : n + 700] for n in range(0, len(body), 700)]
    status, answer = post(server, iter(pieces))  # http.client sends it in chunks
    assert (status, answer["state"]) == (202, "taken")
    assert len(taken(log)) == hearing().partitions
    more = (b"x" * 65_536 for _ in range(MAX_BYTES // 65_536 + 2))
    with contextlib.suppress(BrokenPipeError, ConnectionError):  # it may be cut off while it sends
        assert post(server, more)[0] == 413
    assert post(server, b"")[0] == 400
    assert letters(log) == []


@pytest.mark.parametrize(
    ("asked", "chinese"),
    [("", True), ("zh-CN,zh;q=0.9,en;q=0.1", True), ("en-GB,en", False), ("fr, en;q=0.5", False)],
)
def test_an_answer_is_in_what_the_sender_reads(
    server: CapServer, asked: str, chinese: bool
) -> None:
    head = {"Accept_Language": asked} if asked else {}
    bent = signed(message().replace(b"<severity>Extreme", b"<severity>extreme"))
    said = [
        post(server, message(), **head)[1]["detail"],
        post(server, b"x", Authorization="Bearer wrong", **head)[1]["detail"],
        *post(server, bent, **head)[1]["deviations"],
    ]
    for words in said:
        assert bool(re.search("[\u4e00-\u9fff]", words)) == chinese, words


def test_while_the_log_is_away_nobody_is_told_that_it_was_kept(
    door: CapDoor, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(outs: Any) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(log, "append", away)
    server = CapServer(door, log, "127.0.0.1", 0, TOKEN, lambda: T0)
    try:
        assert post(server, signed(message()))[0] == 503
    finally:
        server.close()


def test_twenty_at_once_are_all_kept_or_told_to_come_again(server: CapServer, log: Log) -> None:
    found: list[int] = []

    def one(n: int) -> None:
        found.append(post(server, signed(message(f"W{n}")))[0])

    threads = [threading.Thread(target=one, args=(n,)) for n in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert set(found) <= {202, 503}
    assert len(taken(log)) == hearing().partitions * found.count(202)


def test_an_exercise_listens_here_with_a_token_of_its_own(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FENGSUI_CAP_TOKEN", "the-live-token-of-the-run")
    door = CapDoor(hearing(), False, tmp_path)
    with cap_ways(hearing(), False, log, door, tmp_path, lambda: T0):
        assert (tmp_path / "cap-in.url").read_text().startswith("http://127.0.0.1:")
    file = tmp_path / "keys" / "cap-in.token"
    assert file.stat().st_mode & 0o077 == 0
    assert endpoint_token(tmp_path, False) == file.read_text().strip()
    assert endpoint_token(tmp_path, True) == "the-live-token-of-the-run"
    monkeypatch.setenv("FENGSUI_CAP_TOKEN", "short")
    with pytest.raises(ValueError, match="too short"):
        endpoint_token(tmp_path, True)


def test_a_feed_is_asked_again_and_only_what_is_new_is_fetched(
    feed: Feed, log: Log, tmp_path: Path
) -> None:
    feed.pages["/feed"] = 200, listed("1.xml")
    feed.pages["/1.xml"] = 200, signed(message("W1"))
    asking = poller(feed, log, tmp_path)
    assert [asking.once(), asking.once()] == ["", ""]
    assert [p for p, _ in feed.asked] == ["/feed", "/1.xml", "/feed"]
    assert feed.asked[-1][1]  # with the ETag
    feed.pages["/feed"] = 200, listed("1.xml", "2.xml")
    assert "could not be fetched" in asking.once()  # 404
    feed.pages["/2.xml"] = 200, signed(message("W2"))
    assert asking.once() == ""
    assert names(log) == {"W1", "W2"}
    assert letters(log) == []


def test_a_feed_leads_nowhere_else(feed: Feed, log: Log, tmp_path: Path) -> None:
    other = Feed()
    other.pages["/x.xml"] = 200, signed(message("X"))
    feed.pages["/feed"] = 200, listed(f"{other.url}/x.xml", "file:///etc/passwd", "/moved.xml")
    feed.pages["/moved.xml"] = 302, f"{other.url}/x.xml".encode()
    try:
        assert "could not be fetched" in poller(feed, log, tmp_path).once()
        assert other.asked == []
        assert taken(log) == []
    finally:
        other.close()


@pytest.mark.parametrize(
    "body",
    [b"", b"<html/>", b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><feed>&x;</feed>'],
)
def test_a_feed_that_is_none_is_told_and_asked_again(
    feed: Feed, log: Log, tmp_path: Path, body: bytes
) -> None:
    feed.pages["/feed"] = 200, body
    asking = poller(feed, log, tmp_path)
    assert asking.once()
    feed.pages["/feed"] = 200, listed()
    assert asking.once() == ""


def test_a_message_of_another_source_by_this_feed_is_refused(
    feed: Feed, log: Log, tmp_path: Path
) -> None:
    feed.pages["/feed"] = 200, listed("h.xml")
    body = message("H1", sender="fengsui@huailai.example", event="flash_flood")
    feed.pages["/h.xml"] = 200, signed(body, HUAILAI)
    assert poller(feed, log, tmp_path).once() == ""
    assert letters(log) == ["unknown_source"]


def test_a_message_that_stands_in_the_feed_itself_is_taken() -> None:
    inner = signed(message("W5")).partition(b"?>")[2]
    rss = b'<rss version="2.0"><channel><item><guid>5</guid>' + inner + b"</item></channel></rss>"
    (found,) = entries(rss, "http://x.example/feed")
    from ingest.cap.interpret import Hearing

    heard = Hearing(hearing(), True).heard(found.body, T0)
    assert isinstance(heard, CapIn)  # the signature holds there, too
    with pytest.raises(Wrong):
        entries(b"<feed/>", "http://x.example/feed")


def test_a_link_that_is_no_address_costs_its_own_entry_only(
    feed: Feed, log: Log, tmp_path: Path
) -> None:
    feed.pages["/feed"] = 200, listed("http://[::1/x.xml", "http://x:port/x.xml", "w6.xml")
    feed.pages["/w6.xml"] = 200, signed(message("W6"))
    assert poller(feed, log, tmp_path).once() == ""
    assert names(log) == {"W6"}


@pytest.mark.parametrize("name", [FEED, RSS])
def test_our_own_feeds_can_be_asked_by_another_fengsui(tmp_path: Path, log: Log, name: str) -> None:
    """What Huailai publishes, Yanqing polls."""
    huailai = msgspec.structs.replace(
        hearing(), sender="fengsui@huailai.example", division="130730"
    )
    folder = tmp_path / "cap"
    Cap(huailai, folder, key_of(HUAILAI).sign).send(
        delivery(queued_at=T0, expires_at=T0 + 60_000), ROUTE, "k"
    )
    server = FeedServer(folder, 0)
    source: Source = msgspec.structs.replace(
        sources().source[HUAILAI], exercise_feed=server.url.replace(FEED, name)
    )
    try:
        asking = Poller(source, False, CapDoor(hearing(), False, tmp_path), log, lambda: T0)
        assert asking.once() == ""
    finally:
        server.close()
    assert {s.area for m in taken(log) for s in m.says} == {"A01"}
    assert letters(log) == []


def test_a_message_by_mqtt_counts_from_the_source_whose_topic_it_is(tmp_path: Path) -> None:
    run = Run(name="live", kind="live", district="yanqing", config="c", start_at=T0)
    district = hearing()
    intake = Intake(district, run, FrameStore(tmp_path), CapDoor(district, True, tmp_path))
    assert "fengsui/live/yanqing/source/#" in intake.filters()
    intake.clock_at = T0
    at = "fengsui/live/yanqing/source/"

    def outs(topic: str, body: bytes) -> list[str]:
        return [o.topic for o in intake.records([Message(at + topic, body, 1, 1)])]

    assert outs(f"{WEATHER}/cap", signed(message())) == ["observations"] * district.partitions
    assert outs(f"{HUAILAI}/cap", signed(message())) == ["dead-letters"]
    assert outs(f"{WEATHER}/cap/x", signed(message())) == ["dead-letters"]
    assert outs(f"{WEATHER}/cap", b"x") == ["dead-letters"]
    deaf = Intake(district, run, FrameStore(tmp_path))
    assert "fengsui/live/yanqing/source/#" not in deaf.filters()


def test_the_bytes_of_the_record_are_what_a_detection_leads_back_to(
    server: CapServer, log: Log, tmp_path: Path
) -> None:
    from detectors.stage import Detect
    from stream.stages.stage import Item

    post(server, signed(message("W7")))
    stage = Detect(hearing(), lambda ref: None)
    state = stage.new(0)
    items = [
        Item(0, e.offset, e.key, stage.decode(e.value)) for e in log.read("observations", 0, 0)
    ]
    _, writes = stage.step(state, items)
    found = [w.record for w in writes if isinstance(w.record, Detection)]
    assert found
    assert all(d.note == "W7" for d in found)


def test_the_server_is_gone_when_the_stage_is(door: CapDoor, log: Log) -> None:
    server = CapServer(door, log, "127.0.0.1", 0, TOKEN, lambda: T0)
    server.close()
    with pytest.raises(OSError):
        urllib.request.urlopen(server.url, timeout=2)
