"""Who may decide: offices, officers and the authority for each level and action, as policy.toml and
officers.csv state them."""

from typing import Literal

from config.language import Said
from config.records.row import Row


class Office(Row, frozen=True, kw_only=True):
    """An office that decides: 区防汛指挥部, 市防汛指挥部, 村责任人 …"""

    name: str
    name_en: str


class Officer(Row, frozen=True, kw_only=True):
    """A person who may act upon warnings, by an opaque id, and for which areas.

    duty: in which order an office's officers are asked, all of one number together; 0: not on duty,
    not asked, but may act. contact: of contacts.csv, by which this person is called.
    """

    id: str
    office: str  # of policy.toml
    areas: tuple[str, ...]  # ids of areas, names of townships, or ("*",) for the whole district
    duty: int = 1
    contact: str = ""


class Escalation(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is asked next when nobody answers, and for how long."""

    office: str
    within_s: int


class Authority(Row, frozen=True, kw_only=True):
    """Who may release a level or an action, by when, and what happens if nobody answers.

    `by` and the offices of `chain` decide. `default` comes when the last of the chain has not
    answered either; `repeat` asks everybody again from the beginning.
    """

    by: tuple[str, ...]  # offices, any of which decides
    deadline_s: int = 0  # 0: released at once under the standing authorisation named in `source`
    chain: tuple[Escalation, ...] = ()
    default: Literal["release", "hold", "repeat"] = "release"
    two_persons: bool = False  # one approves, another releases
    # 联合发布: every office of `by` must agree, one of its officers each, before it goes out; an office of
    # `chain` stands above them and decides in their place
    joint: bool = False
    second_s: int = 0  # once one has agreed, so long is waited for the others; 0: deadline_s
    # when they have not answered by then: it goes out in the name of those who agreed, or the chain and
    # then everybody is asked again. 立即转移 goes out, whatever this says
    alone: Literal["release", "repeat"] = "repeat"
    # offices that may record an approval given by telephone, and release what was approved
    through: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()  # offices that may lower or cancel it; none named: `by`
    override: tuple[str, ...] = ()  # offices that may let it out in an emergency, on record
    source: Said = ""  # the plan or law by which they decide: "…", or ["中文", "English"]


class OrderCost(Row, frozen=True, kw_only=True):
    """`[orders]`: what a district holds against each other where it chooses from what value on an order
    is given (`fengsui tune --simulated`). A flood that the order does not come before by what its place needs
    costs as much as `move_cost` (`prepare_cost`) orders for nothing; `least_share` of the floods must have it
    `lead_min` before whatever that costs, at most `most_never` of them may go without any, and `most_false` of
    the orders may be for nothing where that can be had."""

    lead_min: int = 20
    least_share: float = 0.7
    most_never: float = 1.0
    most_false: float = 1.0
    move_cost: float = 3.0
    prepare_cost: float = 9.0
    source: Said = ""  # why: "…", or ["中文", "English"]


class Proving(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[proving]`: what a district asks for before it believes that a call was answered and people were moved.
    Every part is off until it is set.

    code: who must answer (叫应) is asked for the code that stands in the message. digits: of it.
    valid_min: so long after a message went out its code is taken. wrong_most: after so many wrong ones about
    one warning no more of this person are taken in writing, and the duty room calls.

    check_back_min: whoever says that they go out is expected to be heard of within so long, again and again,
    until they are back; 0: nobody is. superior_min: so long after that the superiors (`not_woken_to` of
    channels.toml) are told too.

    transfer: a move of people is proven by a photograph of place and time, or a second witness; proofs: how
    many of the two. near_m: so far from the shelter, or the village, a photograph may be taken.
    upstairs_to_m: of water above the ground floor, up to which upstairs is safe.

    recheck_share: of those who answer for an area, how many a re-check draws, at least one."""

    code: bool = False
    digits: int = 4
    valid_min: int = 120
    wrong_most: int = 5
    check_back_min: int = 0
    superior_min: int = 15
    transfer: bool = False
    proofs: int = 1
    near_m: int = 500
    upstairs_to_m: float = 0.5
    recheck_share: float = 0.2


class Policy(Row, frozen=True, kw_only=True):
    """policy.toml: authority by hazard and level or action, hold times, validity, incidents."""

    # hazard ("*" for any other) -> "blue" … "red", "prepare", "move" -> authority
    authority: dict[str, dict[str, Authority]]
    office: dict[str, Office] = {}  # every office that is named anywhere
    # an exercise releases at once when true, so that a storm can be watched
    exercise_releases: bool = True
    step_down_hold_s: int = 1800
    valid_s: int = 21600
    # local time in which nothing is said again only because its validity runs out; "": none
    night: str = "22:00-06:00"
    # a message to a resident that adds nothing to what they know waits so long for others of the place
    gather_s: int = 60
    # at night what raises nothing waits so long for others of its place; 0: as by day
    night_gather_s: int = 0
    # how many messages a person may have in a night, by the level of the message (blue … red), before one
    # that adds nothing to what they know waits for the morning; {}: no bound
    night_messages: dict[str, int] = {}
    # who is responsible for so many places has at night one message a round, which names all that is new of
    # them, worst first, and at once what is worse than all they were told that night; 0: as anybody
    night_round_s: int = 0
    night_round_places: int = 5
    # a gully that a keeper opens by SMS counts as open once a code has come back that went to their number
    opens_by_code: bool = False
    incident_gap_s: int = 21600  # quiet for this long ends an incident
    report_every_s: int = 3600  # 续报
    orders: OrderCost = OrderCost()
    proving: Proving = Proving()
    level_numbers: bool = False  # 蓝色（Ⅳ级）, yellow (level III) in written names of a colour
