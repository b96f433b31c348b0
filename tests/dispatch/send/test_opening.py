"""A gully that is opened by SMS: the code that went to the keeper's own number comes back first. Who forges the
sender opens nothing; closing counts at once."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.records.district import District
from dispatch.channels import CarrierWord
from dispatch.channels.addresses import address, with_code
from dispatch.notices import DUTY
from dispatch.people.contact_store import ASKED, ContactStore
from dispatch.records import Delivery
from dispatch.send.inbound_sms import Inbound
from dispatch.send.opening import A_DAY, TRIES, VALID_MS
from ingest.observation import PersonSays
from ingest.people.reports import People
from stream.log.port import Out
from stream.records import Rejected
from tests.support.decide_district import T0, yanqing
from tests.support.people import HEAD

MIN = 60_000
_says: msgspec.json.Decoder[Any] = msgspec.json.Decoder(PersonSays | Delivery)


class Desk:
    """A keeper's telephone, and what its messages make. by_code: as the policy has it."""

    def __init__(self, folder: Path | None = None, *, by_code: bool = True) -> None:
        d = yanqing()
        policy = msgspec.structs.replace(d.policy, opens_by_code=by_code)
        self.district: District = msgspec.structs.replace(d, policy=policy)
        if folder is not None:
            with ContactStore(folder) as store:
                store.put([d.contacts[HEAD]])
                known = store.load()
            self.district = msgspec.structs.replace(self.district, contacts=known, vault=folder)
        self.inbound = Inbound(self.district)
        self.number = d.contacts[HEAD].phone

    def write(self, text: str, minute: float = 0, sender: str = "") -> list[Any]:
        word = CarrierWord("sms", "one", "", (), "", sender=sender or self.number, text=text)
        outs: list[Out] = self.inbound.outs(word, T0 + round(minute * MIN))
        return [_says.decode(o.value) for o in outs if o.topic in ("observations", "deliveries")]

    def code(self, asked: Delivery) -> str:
        """As it stands in the message that the carrier gets."""
        assert address(self.district, asked.recipient, "sms") == self.number
        text = with_code(self.district, asked.recipient, str(asked.routes[0].text))
        return "".join(c for c in text.partition("回复")[2] if c.isdigit())[:6]


def test_figures_of_a_chinese_keyboard_are_figures_and_others_are_a_wrong_answer() -> None:
    desk = Desk()
    desk.write("封沟")
    (asked,) = desk.write("开沟", 1)
    code = desk.code(asked)
    desk.write("".join(chr(0x660 + int(c)) for c in code), 2)  # Arabic-Indic
    wide = "".join(chr(0xFF10 + int(c)) for c in code)
    (opened,) = desk.write(f"【{wide}】", 3)
    assert opened.what == "opened"


@pytest.mark.parametrize("kept", [False, True])
def test_closing_counts_at_once_and_opening_when_the_code_came_back(
    tmp_path: Path, kept: bool
) -> None:
    desk = Desk(tmp_path if kept else None)
    (closed,) = desk.write("封沟")
    assert (closed.what, closed.person) == ("closed", HEAD)
    (asked,) = desk.write("开沟", 1)
    assert isinstance(asked, Delivery), "nothing is open yet"
    assert "在那以前仍然封着" in str(asked.routes[0].text)
    code = desk.code(asked)
    assert asked.recipient.startswith(ASKED) == kept
    assert (code in str(asked.routes[0].text)) != kept, "the record does not have it"
    assert desk.write("开沟", 2) == [], "the same wish waits already"
    (opened,) = desk.write(code, 3)
    assert (opened.what, opened.area, opened.person) == ("opened", "A01", HEAD)
    assert opened.said_at == T0 + MIN > closed.said_at, "when it was wished for"
    assert opened.received_at == T0 + 3 * MIN
    assert not [x for x in desk.write(code, 4) if getattr(x, "what", "") == "opened"], "once"


def test_a_wrong_or_late_code_or_another_number_opens_nothing() -> None:
    desk = Desk()
    (asked,) = desk.write("开沟")
    code = desk.code(asked)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    other = yanqing().contacts["C-0005"].phone

    def opens(text: str, minute: float = 1, sender: str = "") -> bool:
        return any(getattr(x, "what", "") == "opened" for x in desk.write(text, minute, sender))

    assert not opens(code, sender=other)
    assert not opens(code, VALID_MS / MIN)
    for _ in range(TRIES - 1):
        assert not opens(wrong)
    told = [x for x in desk.write(wrong) if isinstance(x, Delivery)]
    assert [d.recipient for d in told] == [DUTY + HEAD], "five wrong tries end it, and the duty room hears"
    assert "请打电话核实" in str(told[0].routes[0].text)
    assert not opens(code)
    asks = [desk.write("开沟", 20 * n) for n in range(1, A_DAY + 4)]
    assert [len(x) for x in asks] == [1] * (A_DAY - 1) + [2, 0, 0, 0], "few messages a day, however many wishes"
    to_duty, to_keeper = asks[A_DAY - 1]
    assert (to_duty.recipient, to_keeper.recipient) == (DUTY + HEAD, HEAD)
    assert "个人页" in str(to_keeper.routes[0].text)


def test_where_the_policy_does_not_ask_the_word_counts_as_before() -> None:
    (opened,) = Desk(by_code=False).write("开沟")
    assert opened.what == "opened"


def test_what_a_gateway_hands_over_as_an_sms_opens_nothing() -> None:
    body = msgspec.json.encode({"text": "开沟", "id": "m1"})
    (refused,) = People(Desk().district).sms(HEAD, body, T0)
    assert isinstance(refused, Rejected)
    assert "opens_by_code" in refused.detail.en  # type: ignore[union-attr]
    (opened,) = People(Desk(by_code=False).district).sms(HEAD, body, T0)
    assert isinstance(opened, PersonSays)
