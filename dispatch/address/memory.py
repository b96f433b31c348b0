"""What the stage address remembers: who was told what, and what is under way. Pure."""

import msgspec

from dispatch.address.closures import ClosedPlace
from dispatch.address.night import NightOf
from dispatch.address.told import LastTold
from dispatch.decide.plan.tasks import Course
from dispatch.people.outings import Outing
from ingest.people.subscriber import Subscriber
from stream.records import Run


class AddressState(msgspec.Struct):
    """The memory of a partition of `alerts`."""

    runs: list[Run] = []
    marks: dict[str, int] = {}
    alerts: dict[str, LastTold] = {}  # open warnings
    ended: dict[str, LastTold] = {}  # those that ended a moment ago: their ends may be one message
    courses: dict[str, Course] = {}  # the same, by which the plan's tasks open
    late: dict[str, list[str]] = {}  # of which tasks the duty room was told that they are late
    nights: dict[str, NightOf] = {}  # who was told something this night
    unproven_at: int = 0  # when it was told last of an act that proves nobody's word
    joined: dict[str, Subscriber] = {}  # who chose anew or left since the store was read
    newest: dict[str, int] = {}  # when each chose last, of the last days: nothing older counts
    closures: dict[str, ClosedPlace] = {}
    outings: dict[str, Outing] = {}
