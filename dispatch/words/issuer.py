"""Who released a warning, as its words name them. Pure."""

from typing import Protocol

from config.records.district import District
from config.records.level import Action, Level


class HasIssuers(Protocol):
    """A version of a warning, or a delivery of one. issuers: offices that let the colour out jointly."""

    @property
    def level(self) -> Level: ...
    @property
    def action(self) -> Action: ...
    @property
    def issuers(self) -> tuple[str, ...]: ...


def issuer(district: District, a: HasIssuers, lang: str, *, short: bool = False) -> str:
    """The district's issuing office; of a colour that offices released jointly those who agreed, and
    beside an order whose the order is. short: for an SMS."""
    zh = lang == "zh"
    own = _own(district, lang)
    if short and not zh:
        own = district.issuer_short_en or own
    named = jointly(district, a, lang)
    if not named or not a.action:
        return named or own
    return f"预警由{named}、指令由{own}" if zh else f"warning by {named}, order by {own}"


def jointly(district: District, a: HasIssuers, lang: str) -> str:
    """The offices that let the colour out by the table of joint release, as one name; "" where the colour
    is the district's own."""
    those = _offices(district, a, lang)
    if lang != "zh":
        return " and ".join(those)
    return "、".join(those) + ("联合" if len(those) > 1 else "")


def senders(district: District, a: HasIssuers, lang: str) -> str:
    """All whose word the message is, as a field for one name has it: the offices of the colour, and the
    district's own beside an order or where the colour is its own too."""
    those, own = _offices(district, a, lang), _own(district, lang)
    if not those or a.action:
        those = [*those, own]
    if lang == "zh":
        return "、".join(those)
    return " and ".join([", ".join(those[:-1]), those[-1]] if len(those) > 1 else those)


def _own(district: District, lang: str) -> str:
    return district.issuer if lang == "zh" else district.issuer_en


def _offices(district: District, a: HasIssuers, lang: str) -> list[str]:
    known = district.policy.office
    names = [known[o].name if lang == "zh" else known[o].name_en for o in a.issuers if o in known]
    return names if a.level else []
