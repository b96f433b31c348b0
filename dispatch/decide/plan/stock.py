"""Supplies 物资 that are reserved, issued and brought back. Pure.

A count is no record: it follows from supplies.csv and from people's acts in the ledger, so that a replay
gives the same, and a table that was mended holds at once. What is reserved or out belongs to the incident
it was reserved for, and stays so when that is over until somebody brings it back: so no second storm can
reserve it. Nothing can be reserved or issued that is not there.
"""

from typing import Literal, NamedTuple

import msgspec

from config.language import Text
from config.records.district import District
from config.records.plans import Supply
from dispatch.decide.act import ActResult
from dispatch.decide.apply import unknown
from dispatch.records import Decision

SUPPLY_ACTS = ("reserve", "issue", "restore")


class HeldSupply(msgspec.Struct):
    """How much of a supply is reserved, and how much is out, for one incident."""

    reserved: int = 0
    out: int = 0


class Stocked(NamedTuple):
    """One supply: how much there is by supplies.csv, and what is left of it."""

    quantity: int
    reserved: int
    out: int
    free: int  # never below 0, also where the table was made smaller than what is out


def take_stock(stock: dict[str, dict[str, HeldSupply]], record: Decision) -> None:
    """Fold one act in, if it was carried out; any other is passed over. stock: supply -> incident."""
    if record.act not in SUPPLY_ACTS or record.outcome != "done" or not record.hash:
        return
    mine = stock.setdefault(record.supply, {})
    held = mine.setdefault(record.incident, HeldSupply())
    n = record.count
    match record.act:
        case "reserve":
            held.reserved += n
        case "issue":
            held.reserved -= min(n, held.reserved)
            held.out += n
        case _:
            back = min(n, held.out)
            held.out -= back
            held.reserved -= min(n - back, held.reserved)
    if not (held.reserved or held.out):
        del mine[record.incident]
        if not mine:
            del stock[record.supply]


def stocked(district: District, stock: dict[str, dict[str, HeldSupply]], supply: str) -> Stocked:
    """The count of one supply of the district."""
    quantity = district.plans.supplies[supply].quantity
    held = stock.get(supply, {}).values()
    reserved, out = sum(h.reserved for h in held), sum(h.out for h in held)
    return Stocked(quantity, reserved, out, max(0, quantity - reserved - out))


def moved(
    district: District,
    stock: dict[str, dict[str, HeldSupply]],
    incident: str,
    decision: Decision,
) -> ActResult:
    """What comes of somebody's word that supplies are reserved, issued or back. incident: the one that is
    open, by which a reservation is named; "": none is."""
    act = decision.act
    why = unknown(district, decision)
    supply = district.plans.supplies.get(decision.supply)
    if why is None and supply is None:
        why = Text(f"没有物资{decision.supply}", f"there is no supply {decision.supply}")
    if why is None and decision.count < 1:
        why = Text("数量须是一以上", "the count must be one or more")
    if why is not None or supply is None:
        return _no(act, why or Text("", ""))
    officer = district.officers[decision.by]
    if decision.by != supply.keeper and "*" not in officer.areas:
        return _no(
            act,
            Text(
                f"{supply.name}由{supply.keeper}保管，{decision.by}无权动用",
                f"{supply.name_en} is in the keeping of {supply.keeper}, not of {decision.by}",
            ),
        )
    wrong = _short(district, stock, incident, decision, supply)
    if wrong is not None:
        return _no(act, wrong)
    n, unit = decision.count, _unit(supply)
    did = {
        "reserve": Text("已预留", "reserved"),
        "issue": Text("已领出", "issued"),
        "restore": Text("已归还", "brought back"),
    }[act]
    words = Text(
        f"{did.zh}{supply.name}{n}{unit.zh}", f"{did.en}: {n} {unit.en} of {supply.name_en}"
    )
    return ActResult("done", act, words)


def _unit(supply: Supply) -> Text:
    return Text(supply.unit, supply.unit_en or supply.unit)


def _short(
    district: District,
    stock: dict[str, dict[str, HeldSupply]],
    incident: str,
    decision: Decision,
    supply: Supply,
) -> Text | None:
    """Why so much cannot be had, or brought back."""
    now, n, unit = stocked(district, stock, supply.id), decision.count, _unit(supply)
    held = stock.get(supply.id, {}).get(decision.incident, HeldSupply())
    if decision.act == "restore":
        mine = held.out + held.reserved
        if n <= mine:
            return None
        return Text(
            f"为该事件预留和领出的只有{mine}{unit.zh}",
            f"only {mine} {unit.en} are reserved or out for that incident",
        )
    if decision.incident != incident:
        return Text("所指事件不是进行中的事件", "that incident is not the open one")
    room = now.free + (held.reserved if decision.act == "issue" else 0)
    if n <= room:
        return None
    others = now.reserved + now.out - held.reserved - held.out
    return Text(
        f"只剩{room}{unit.zh}可用（共{now.quantity}，其他事件占用{others}）",
        f"only {room} {unit.en} are left (of {now.quantity}; {others} held for other incidents)",
    )


def _no(act: str, words: Text) -> ActResult:
    outcome: Literal["refused"] = "refused"
    return ActResult(outcome, act, words)
