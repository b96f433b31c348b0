"""Bots of WeCom, DingTalk and Feishu by apprise: what one message may hold and a minute takes, long texts as
numbered parts of which each counts, and a yes that is one. apprise's own plugins send; the far end is a
server of ours that counts as the services' pages say."""

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import msgspec
import pytest
from apprise.plugins.bark import NotifyBark
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.wecombot import NotifyWeComBot
from apprise.result import AppriseResultStatus, NotifyAttempt
from hypothesis import given
from hypothesis import strategies as st

from config.language import en
from config.records.channels import Carrier, Channels
from config.records.level import Action, Level
from dispatch.channels import Parcel, SendError
from dispatch.channels.by_apprise import response
from dispatch.channels.by_apprise.limits import LIMITS, BotLimits, limits_of, most
from dispatch.channels.by_apprise.parts import parts
from dispatch.channels.by_apprise.response import says_yes
from dispatch.channels.by_apprise.taken import Taken
from dispatch.channels.by_apprise.url import ByUrl
from dispatch.channels.declared import problems
from tests.support.decide_district import yanqing
from tests.support.examples import examples
from tests.support.gateway import parcel
from tests.support.smpp import real

TITLE = "香屯村山洪红色预警，立即转移"
LONG = "沟道两侧住户马上转移，不走沟道、不返家取物。14:05前到安置点，电话01000000001。" * 40
YES = {"wecom": b'{"errcode":0,"errmsg":"ok"}', "feishu": b'{"code":0,"msg":"success"}'}


class Bot:
    """The far end: counts bytes and messages. refuses: numbers of requests, from 1, that are not taken."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.texts: list[str] = []
        self.refuses: dict[int, bytes] = {}
        self.yes, self.asked = YES["wecom"], 0
        self.drips = ""  # head or body: it sends that for ever, a byte at a time
        self.over = Event()
        bot = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                bot.asked += 1
                answer = bot.refuses.get(bot.asked, bot.yes)
                if answer == bot.yes:
                    bot.got.append(body)
                    bot.texts.append(text_in(body))
                self.send_response(200)
                if bot.drips == "head":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
                    self.drip()
                    return
                self.send_header("Content-Length", str(len(answer) + 10**9 * bool(bot.drips)))
                self.end_headers()
                self.wfile.write(answer)
                if bot.drips:
                    self.drip()

            def drip(self) -> None:
                with contextlib.suppress(OSError):
                    while not bot.over.wait(0.05):
                        self.wfile.write(b"x")
                        self.wfile.flush()

            def log_message(self, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, daemon=True).start()


def text_in(body: bytes) -> str:
    found = json.loads(body)
    inner = found.get("text") or found.get("content") or found
    return str(inner.get("content") or inner.get("text") or inner.get("body"))


@pytest.fixture
def bot(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bot]:
    found = Bot()
    paths = {
        NotifyWeComBot: "/cgi-bin/webhook/send?key={key}",
        NotifyDingTalk: "/robot/send?access_token={token}",
        NotifyFeishu: "/open-apis/bot/v2/hook/{token}/",
    }
    for kind, path in paths.items():
        monkeypatch.setattr(kind, "notify_url", found.url + path)
    yield found
    found.over.set()
    found.server.shutdown()
    found.server.server_close()


class Clock:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


URLS = {
    "wecombot": "wecombot://botkey-1234",
    "dingtalk": "dingtalk://abcdefgh12345678",
    "feishu": "feishu://abcdefgh12345678",
}


def by(name: str, now: Callable[[], float] = lambda: 0.0, **said: int) -> ByUrl:
    return ByUrl("bot", URLS.get(name, name), "", 60, now=now, **said)


def of_level(level: Level, action: Action = Action.NONE, **more: Any) -> Parcel:
    delivery = msgspec.structs.replace(real(1, "C-0001", "app"), level=level, action=action)
    return parcel(delivery=delivery, **{"title": TITLE, "text": "请注意。", **more})


# --- one message


@pytest.mark.parametrize("what", ["head", "body"])
def test_an_answer_that_drips_keeps_no_thread(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(response, "WHOLE_S", 1.0)
    bot.drips = what
    with pytest.raises(SendError) as e:  # while it still drips
        by("wecombot").send(of_level(Level.RED))
    assert not e.value.permanent and not bot.over.is_set()
    bot.drips = ""
    assert by("wecombot").send(of_level(Level.RED)).state == "accepted"


@pytest.mark.parametrize("name", URLS)
def test_a_short_text_is_one_message_as_before(bot: Bot, name: str) -> None:
    bot.yes = YES["feishu" if name == "feishu" else "wecom"]
    told = by(name).send(parcel(title=TITLE, text="请注意。"))
    assert told.state == "accepted"
    (text,) = bot.texts
    assert TITLE in text
    assert "请注意。" in text
    assert "(1/" not in text


def test_a_text_over_wecoms_bytes_goes_as_numbered_parts(bot: Bot) -> None:
    assert len(LONG) < 2048 < len(LONG.encode())  # not too many characters, too many bytes
    told = by("wecombot").send(parcel(title=TITLE, text=LONG))
    count = len(bot.texts)
    assert count > 1
    assert (told.state, en(told.detail)) == ("accepted", f"in {count} parts")
    for n, text in enumerate(bot.texts, 1):
        assert text.startswith(f"({n}/{count}) {TITLE}")  # each says what it is of
        assert len(text.encode()) <= 2048
        assert text.endswith("。")  # whole sentences
    assert "".join(t.split("\n", 1)[1] for t in bot.texts).replace("\r", "") == LONG


@pytest.mark.parametrize("name", ["dingtalk", "feishu"])
def test_a_long_body_is_counted_as_it_is_sent(bot: Bot, name: str) -> None:
    """apprise writes each Chinese character as six bytes."""
    bot.yes = YES["feishu" if name == "feishu" else "wecom"]
    by(name).send(parcel(title=TITLE, text=LONG * 5))
    assert len(bot.got) > 1
    assert all(len(body) <= 20_000 for body in bot.got)
    assert all(TITLE in text for text in bot.texts)


def test_who_sends_no_title_is_numbered_all_the_same(bot: Bot) -> None:
    by("wecombot").send(parcel(title="", text=LONG))
    count = len(bot.texts)
    assert [t.split(" ")[0] for t in bot.texts] == [f"({n}/{count})" for n in range(1, count + 1)]


# --- what is there of it


def test_it_is_accepted_when_every_part_is_and_the_rest_alone_is_sent_again(bot: Bot) -> None:
    bot.refuses = {2: b'{"errcode":-1,"errmsg":"system busy"}'}
    carrier = by("wecombot")
    letter = parcel(title=TITLE, text=LONG)
    with pytest.raises(SendError) as e:
        carrier.send(letter)
    count = len(parts(TITLE, LONG, LIMITS["wecombot"].room))
    assert not e.value.permanent
    assert f"1 of {count} parts taken" in en(e.value.detail)
    assert len(bot.texts) == 1
    assert carrier.send(letter).state == "accepted"
    assert [t[: t.index(")") + 1] for t in bot.texts] == [
        f"({n}/{count})" for n in range(1, count + 1)
    ]
    assert bot.asked == count + 1, "nothing twice"
    # what is over is forgotten: who sends it again by hand, by another key or the same, sends all of it
    assert carrier.send(letter).state == "accepted"
    assert len(bot.texts) == 2 * count


def test_two_messages_with_parts_do_not_count_for_each_other(bot: Bot) -> None:
    bot.refuses = {2: b'{"errcode":-1}'}
    carrier = by("wecombot")
    with pytest.raises(SendError):
        carrier.send(parcel(title=TITLE, text=LONG, key="k1"))
    bot.texts.clear()
    carrier.send(parcel(title=TITLE, text=LONG, key="k2"))
    assert bot.texts[0].startswith("(1/")


def test_a_process_that_has_forgotten_sends_all_of_it(bot: Bot) -> None:
    bot.refuses = {2: b'{"errcode":-1}'}
    letter = parcel(title=TITLE, text=LONG)
    with pytest.raises(SendError):
        by("wecombot").send(letter)
    assert by("wecombot").send(letter).state == "accepted"
    assert [t[:3] for t in bot.texts][:2] == ["(1/", "(1/"]


def test_what_is_remembered_is_bounded() -> None:
    taken = Taken()
    for n in range(2000):
        taken.add(f"m{n}", 0)
    assert taken.of("m0") == frozenset()
    assert taken.of("m1999") == {0}


# --- a minute


def test_no_bot_gets_more_than_a_minute_takes(bot: Bot) -> None:
    clock = Clock()
    carrier = by("wecombot", clock)
    for n in range(20):
        clock.s = n * 0.1
        carrier.send(of_level(Level.RED, key=f"k{n}"))
    with pytest.raises(SendError) as e:
        carrier.send(of_level(Level.RED, key="k20"))
    assert "room in 58 s" in en(e.value.detail)
    # this message waits by itself: neither the carrier nor the channel is held up
    assert (e.value.permanent, e.value.wait_s, e.value.blames_route) == (False, 0, False)
    assert bot.asked == 20
    clock.s = 60.0
    assert carrier.send(of_level(Level.RED, key="k20")).state == "accepted"


def test_many_threads_at_once_get_no_more_either(bot: Bot) -> None:
    carrier, found = by("wecombot", Clock()), []

    def send(n: int) -> None:
        try:
            found.append(carrier.send(of_level(Level.RED, key=f"k{n}")).state)
        except SendError:
            found.append("full")

    threads = [Thread(target=send, args=(n,)) for n in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert bot.asked == 20 == found.count("accepted") == found.count("full")


def test_the_last_quarter_of_a_minute_is_for_red_and_orders_to_move(bot: Bot) -> None:
    carrier = by("wecombot", Clock())
    for n in range(15):
        carrier.send(of_level(Level.BLUE, key=f"b{n}"))
    with pytest.raises(SendError):
        carrier.send(of_level(Level.YELLOW, key="b15"))
    assert carrier.send(of_level(Level.RED, key="r")).state == "accepted"
    assert carrier.send(of_level(Level.BLUE, Action.MOVE, key="m")).state == "accepted"
    assert most(1, urgent=False) == 1


def test_parts_count_each_and_what_waits_goes_on_where_it_was(bot: Bot) -> None:
    clock = Clock()
    carrier = by("wecombot", clock, per_minute=2)
    letter = of_level(Level.RED, text=LONG)
    count = len(parts(TITLE, LONG, LIMITS["wecombot"].room))
    tries, state = 0, ""
    while not state:
        tries += 1
        try:
            state = carrier.send(letter).state
        except SendError as e:
            assert "parts taken" in en(e.detail)
            clock.s += 60
    assert bot.asked == count
    assert tries == -(-count // 2)


def test_feishu_has_a_limit_a_second_too(bot: Bot) -> None:
    bot.yes, clock = YES["feishu"], Clock()
    carrier = by("feishu", clock)
    for n in range(5):
        carrier.send(of_level(Level.RED, key=f"k{n}"))
    with pytest.raises(SendError):
        carrier.send(of_level(Level.RED, key="k5"))
    clock.s += 1
    assert carrier.send(of_level(Level.RED, key="k5")).state == "accepted"


def test_each_bot_of_a_row_has_a_minute_of_its_own(bot: Bot) -> None:
    carrier = by("wecombot://{to}", Clock(), per_minute=1)
    for to in ("bot-a", "bot-b"):
        assert carrier.send(of_level(Level.RED, to=to)).state == "accepted"
    with pytest.raises(SendError):
        carrier.send(of_level(Level.RED, to="bot-a", key="k2"))


def test_of_a_row_of_many_bots_one_that_is_busy_holds_up_no_other(bot: Bot) -> None:
    bot.refuses = {1: b'{"errcode":45009,"errmsg":"api freq out of limit"}'}
    with pytest.raises(SendError) as e:
        by("wecombot://{to}", Clock()).send(of_level(Level.RED, to="bot-a"))
    assert (e.value.wait_s, e.value.blames_route, e.value.permanent) == (0, False, False)
    bot.refuses = {2: b'{"errcode":45009,"errmsg":"api freq out of limit"}'}
    with pytest.raises(SendError) as e:
        by("wecombot", Clock()).send(of_level(Level.RED))
    assert e.value.wait_s > 0, "the one bot of a carrier is waited for"


# --- what the district says


def test_a_service_without_a_known_limit_has_the_districts(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot.yes = b'{"code":200}'
    monkeypatch.setattr(NotifyBark, "request_rate_per_sec", 0)
    url = bot.url.replace("http://", "bark://") + "/device"
    by(url).send(parcel(title=TITLE, text=LONG))
    assert len(bot.texts) == 1
    by(url, part_bytes=1000).send(parcel(title=TITLE, text=LONG))
    assert len(bot.texts) > 4
    assert all(len(t.encode()) <= 1000 for t in bot.texts[1:])
    assert limits_of(("lark",)) == BotLimits()
    assert limits_of(("wecombot",), per_minute=5).windows == ((5, 60.0),)


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ({"part_bytes": 100}, "part_bytes"),
        ({"part_bytes": -1}, "part_bytes"),
        ({"per_minute": -1}, "per_minute"),
        ({"per_minute": 5, "kind": "http", "url": "http://x"}, "part_bytes"),
    ],
)
def test_a_row_that_cannot_be_meant_is_named(said: dict[str, Any], key: str) -> None:
    row = {"name": "b", "channel": "app", "kind": "apprise", "url": URLS["wecombot"], **said}
    district = msgspec.structs.replace(yanqing(), channels=Channels(carrier=(Carrier(**row),)))
    assert f"carrier b.{key}" in {p.column for p in problems(district)}


# --- the words of 2.x


def test_a_result_of_apprise_is_a_yes_only_where_it_succeeded() -> None:
    assert says_yes(True)
    for no in (False, None, AppriseResultStatus.FAILURE, AppriseResultStatus.TIMEOUT):
        assert not says_yes(no), no  # the statuses are numbers, and true ones
    assert says_yes(AppriseResultStatus.SUCCESS)
    assert says_yes(NotifyAttempt(AppriseResultStatus.SUCCESS))
    assert not says_yes(NotifyAttempt(AppriseResultStatus.FAILURE))


def test_an_answer_that_says_no_in_the_last_part_is_no_yes(bot: Bot) -> None:
    count = len(parts(TITLE, LONG, LIMITS["wecombot"].room))
    bot.refuses = {count: b'{"errcode":40058,"errmsg":"content exceed max length"}'}
    with pytest.raises(SendError) as e:
        by("wecombot").send(parcel(title=TITLE, text=LONG))
    assert f"{count - 1} of {count} parts taken" in en(e.value.detail)


# --- splitting by itself

CHINESE = st.text("山洪沟村转移撤离。！？；，、：“”（）123:. ab\n", max_size=400)
ANY = st.text(st.characters(exclude_categories=("Cs",)), max_size=300)


@given(
    title=st.text("红色预警（演练）a ", max_size=80), text=CHINESE | ANY, limit=st.integers(60, 600)
)
@examples(200)
def test_parts_hold_the_text_and_none_is_too_long(title: str, text: str, limit: int) -> None:
    room = BotLimits(text_bytes=limit).room
    found = parts(title, text, room)
    if len(found) == 1:
        assert found[0].endswith(text)
        return
    bodies = []
    for n, part in enumerate(found, 1):
        assert room(part) >= 0
        head = f"({n}/{len(found)}) "
        assert part.startswith(head)
        bodies.append(part.removeprefix(head))
    whole = "".join(bodies)
    assert re.sub(r"\s", "", whole).endswith(re.sub(r"\s", "", bodies[-1]))
    shown = title if len(title) <= 60 else None
    if shown is not None and all(b.startswith(f"{shown}\r\n") for b in bodies):
        whole = "".join(b.removeprefix(f"{shown}\r\n") for b in bodies)
        assert re.sub(r"\s", "", whole) == re.sub(r"\s", "", text)


@pytest.mark.parametrize("sign", ["e\u0301", "👨\u200d👩\u200d👧", "🏔\ufe0f", "👍\U0001f3fd"])
def test_nothing_is_cut_inside_a_character(sign: str) -> None:
    room = BotLimits(text_bytes=100).room
    found = parts("", sign * 60, room)
    assert len(found) > 1
    for part in found:
        body = part.split(" ", 1)[1]
        assert body == sign * (len(body) // len(sign))


def test_a_number_a_time_and_a_telephone_stay_whole() -> None:
    text = "请于14:05前转移到村委会联系电话01000000001并带好证件随身物品药品" * 6
    found = parts("", text, BotLimits(text_bytes=130).room)
    bodies = "\n".join(p.split(" ", 1)[1] for p in found)
    assert bodies.count("14:05") == 6
    assert bodies.count("01000000001") == 6


def test_where_nothing_has_room_the_text_goes_as_it_came() -> None:
    assert parts("", "很长" * 50, BotLimits(text_bytes=5).room) == ["很长" * 50]
