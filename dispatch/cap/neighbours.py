"""A neighbour as a recipient: its id in deliveries, and from which step on it is told. Pure."""

from config.records.level import Level
from config.records.sources import Neighbour
from dispatch.grade import Grade

CHANNEL = "cap_push"
RELEASE = "release"  # the channel of a national release platform, and who it is as a recipient
RELEASE_PLATFORM = "release:12379"
_PREFIX = "neighbour:"


def recipient(neighbour: str) -> str:
    """The id of the neighbour in deliveries."""
    return _PREFIX + neighbour


def neighbour_of(recipient_id: str) -> str:
    """The other way round; "" for any other recipient."""
    return recipient_id.removeprefix(_PREFIX) if recipient_id.startswith(_PREFIX) else ""


def wants(neighbour: Neighbour, grade: Grade) -> bool:
    """An order to move goes to everybody."""
    return bool(grade.action) or grade.level >= Level[neighbour.min_level.upper()]
