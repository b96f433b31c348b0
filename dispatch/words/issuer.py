"""Who released a warning, as its words name them. Pure."""

from config.records.district import District
from dispatch.records import Alert


def issuer(district: District, a: Alert, lang: str, *, short: bool = False) -> str:
    """The district's issuing office; of a colour that offices released jointly those who agreed, and
    beside an order whose the order is. short: for an SMS."""
    zh = lang == "zh"
    own = district.issuer if zh else district.issuer_en
    if short and not zh:
        own = district.issuer_short_en or own
    known = district.policy.office
    those = [known[o].name if zh else known[o].name_en for o in a.issuers if o in known]
    if not those or not a.level:
        return own
    together = "联合" if len(those) > 1 else ""
    named = "、".join(those) + together if zh else " and ".join(those)
    if not a.action:
        return named
    return f"预警由{named}、指令由{own}" if zh else f"warning by {named}, order by {own}"
