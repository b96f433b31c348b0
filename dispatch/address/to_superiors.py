"""An incident's reports to those whom channels.toml names (`reports_to`): one delivery each, with the whole
text by app, e-mail and webhook, and its one paragraph by SMS. Pure.

A report is never replaced by the next one: each says what was new. It goes out as an internal notice and
has receipts like any other; what does not arrive is told to the duty room.
"""

from config.language import Text, choose, joined, text_of
from config.records.district import Contact, District
from dispatch.notices import NOTICE_VALID_MS, REPORT, drill_mark, person_notice
from dispatch.records import Delivery, Report, Route, delivery_id, kind_words
from dispatch.words.sms_length import person_route

_WITHIN_MS = 10 * 60_000
# the longest text message that a group robot of WeCom takes, bytes of UTF-8 (its developer pages)
MOST_BYTES = 2048
_NUMBER = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二", "十三")
_GAP = Text("【待填】", "[TO BE FILLED IN] ")
_CUT = Text("\n……全文见打印页", "\n… the whole stands on the printed page")


def name_of(report: Report) -> str:
    """What its deliveries are about."""
    return f"{REPORT}{report.incident}:{report.number}"


def title(district: District, report: Report, live: bool) -> Text:
    """（演练）延庆区第3报 续报."""
    kind = kind_words(report.kind)
    return drill_mark(live) + Text(
        f"{district.name}第{report.number}报（{kind.zh}）",
        f"{district.name_en}, report {report.number} ({kind.en})",
    )


def plain(district: District, report: Report) -> Text:
    """The whole report as lines of text, for WeCom and e-mail: at most MOST_BYTES, each part numbered."""
    head = text_of(report.text)
    if not report.parts:
        return head
    first = Text(head.zh.partition("：")[0], head.en.partition(": ")[0])
    lines = [
        Text(f"{_NUMBER[n]}、", f"{n + 1}. ")
        + p.name
        + Text("：", ": ")
        + (_GAP if p.gap else Text("", ""))
        + p.words
        for n, p in enumerate(report.parts[: len(_NUMBER)])
    ]
    signed = Text(district.issuer, district.issuer_en)
    whole = joined([first, *lines, signed], "\n")
    return Text(_fit(whole.zh, _CUT.zh), _fit(whole.en, _CUT.en))


def _fit(text: str, cut: str) -> str:
    if len(text.encode()) <= MOST_BYTES:
        return text
    room = MOST_BYTES - len(cut.encode())
    return text.encode()[:room].decode(errors="ignore") + cut


def to_superiors(district: District, report: Report, live: bool) -> list[Delivery]:
    """One for each contact of `reports_to` that the district knows."""
    known = (district.contacts.get(who) for who in district.channels.reports_to)
    return [_delivery(district, report, live, c) for c in known if c is not None]


def _delivery(district: District, report: Report, live: bool, to: Contact) -> Delivery:
    name, at = name_of(report), report.reported_at
    return person_notice(
        delivery_id(name, 1, to.id),
        name,
        to.id,
        tuple(_route(district, report, live, to, c) for c in to.channels if c != "voice"),
        at,
        live=live,
        within_ms=_WITHIN_MS,
        expires_at=at + NOTICE_VALID_MS,
        lang=to.lang,
        category=to.kind,
    )


def _route(district: District, report: Report, live: bool, to: Contact, channel: str) -> Route:
    heading = choose(title(district, report, live), to.lang)
    text = report.text if channel == "sms" else plain(district, report)
    return person_route(channel, district.signature, choose(text, to.lang), heading)
