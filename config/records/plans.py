"""The plan of a district (应急预案) and what it can draw upon: which step of a warning asks whom to do
what by when, the teams 队伍, supplies 物资, shelters 避难场所 and risk sources 风险源.

A step is a colour or an order: `blue` … `red`, `prepare`, `move`. A warning that is red has reached
yellow too, and one with 立即转移 has reached 准备转移.
"""

from typing import Literal

from config.records.row import Row

# what a flood may come to: an area, or a thing of the resource base
What = Literal["area", "risk", "shelter"]

Step = Literal["blue", "yellow", "orange", "red", "prepare", "move"]
SCALES = (("blue", "yellow", "orange", "red"), ("prepare", "move"))


UNITS = (
    "school",
    "care_home",
    "camp",
    "mine",
    "construction",
)  # kinds of `Risk` with people of their own


class Team(Row, frozen=True, kw_only=True):
    """队伍: who can be sent. kind: the word by which a task names it."""

    id: str
    name: str
    name_en: str
    kind: str  # rescue, medical, road …
    areas: tuple[str, ...]  # ids of areas, names of townships, or ("*",)
    lon: float
    lat: float
    people: int
    leader: str  # of officers.csv


class Supply(Row, frozen=True, kw_only=True):
    """物资 of one kind in one depot."""

    id: str
    name: str
    name_en: str
    quantity: int
    unit: str
    unit_en: str = ""  # away: as `unit`
    place: str
    place_en: str
    lon: float
    lat: float
    keeper: str  # of officers.csv


class Shelter(Row, frozen=True, kw_only=True):
    """避难场所: for whom, against what, and for how many people."""

    id: str
    name: str  # as `shelter` of areas.csv says it
    name_en: str
    areas: tuple[str, ...]
    capacity: int
    hazards: tuple[str, ...]
    lon: float
    lat: float
    keeper: str


class Risk(Row, frozen=True, kw_only=True):
    """风险源: a place that can kill, or a unit that stands in the way of water."""

    id: str
    name: str
    name_en: str
    kind: Literal[
        "gully", "slope", "dam", "road", "school", "care_home", "camp", "mine", "construction"
    ]
    area: str
    hazards: tuple[str, ...]
    lon: float
    lat: float
    people: int = 0
    watcher: str = ""  # of officers.csv
    contacts: tuple[
        str, ...
    ] = ()  # of a unit: who is told for it, of contacts.csv or the contact store

    @property
    def is_unit(self) -> bool:
        """Is it a unit with people of its own, who must be told?"""
        return self.kind in UNITS


class PlanTask(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[task]]` of plans.toml: opens in each area whose warning reaches `on`."""

    id: str
    title: str
    title_en: str
    on: Step
    within_min: int
    office: str = ""  # who does it: an office of policy.toml, or
    team: str = ""  # the teams of this kind
    hazards: tuple[str, ...] = ()  # (): all
    areas: tuple[str, ...] = ("*",)
    supplies: tuple[str, ...] = ()  # ids
    shelters: bool = False  # the area's shelters are named with it


class Paragraph(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[paragraph]]` of plans.toml: what the 应急预案 says of a step, word for word, and where."""

    id: str  # its number in the plan: 5.2.1
    on: Step
    text: str
    text_en: str
    source: str  # which document
    source_en: str
    hazards: tuple[str, ...] = ()  # (): all


class DutyShift(Row, frozen=True, kw_only=True):
    """One row of roster.csv 值班表: somebody's turn, on days that return or on dates. An `end` that is not
    after `begin` is on the next day. Local time."""

    days: tuple[str, ...]  # *, mon … sun, 2026-07-01, 2026-07-01/2026-07-31
    begin: str
    end: str
    officer: str  # of officers.csv


class Flow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How water goes on below a warned area: `dispatch.geography.downstream`."""

    slow_m_s: float = 2.0
    fast_m_s: float = 5.5
    corridor_m: float = 300.0  # to each side of the channel
    within_min: float = 120.0  # what the fast water reaches later is not told


class Plans(Row, frozen=True, kw_only=True):
    """All of it; empty tables where a district has none."""

    tasks: dict[str, PlanTask] = {}
    teams: dict[str, Team] = {}
    supplies: dict[str, Supply] = {}
    shelters: dict[str, Shelter] = {}
    risks: dict[str, Risk] = {}
    paragraphs: tuple[Paragraph, ...] = ()
    roster: tuple[DutyShift, ...] = ()
    downstream: Flow = Flow()


NONE = Plans()


def reaches(step: str) -> tuple[str, ...]:
    """This step and what stands above it on the same scale."""
    scale = SCALES[0] if step in SCALES[0] else SCALES[1]
    return scale[scale.index(step) :]
