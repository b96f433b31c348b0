"""Two hazards of one village are one message to one person. Pure.

What address makes for a resident or a loudspeaker tells all that is in force in the place
(`Delivery.beside`: what was made for the others last). So what still waits of those need not go out by
itself: it goes with the new one, keeps its id, and ends as that one ends. Nothing that rises waits:
only what adds nothing to what its recipient was told waits `Rules.gather_ms` for others of the place.
What was tried already and comes back as failed joins the newer one too. Whatever leaves the newer
one unsaid (its warning ended unsent, it ran out) sets free what waited in it.
"""

from dispatch.grade import Grade
from dispatch.records import delivery_id
from dispatch.send.outbox.state import NOT_REACHED, Box, Entry, Rules, grade_said, line_of


def take(rules: Rules, box: Box, e: Entry) -> None:
    """A delivery came that tells of others of its place."""
    d = e.delivery
    for other in others(box, e):
        other.named = d.id
        join(box, other)
    if d.beside and not d.again and not grade_said(d).exceeds(_told(box, e)):
        e.next_at = max(e.next_at, d.queued_at + rules.gather_ms)
        e.waits = True


def others(box: Box, e: Entry) -> list[Entry]:
    """What was made for its recipient of the other warnings that it tells of."""
    found = []
    for place in e.delivery.beside:
        alert, _, version = place.rpartition("/")
        found.append(
            box.entries.get(
                delivery_id(alert, int(version) if version.isdigit() else 0, e.delivery.recipient)
            )
        )
    return [x for x in found if x is not None]


def covered(box: Box, e: Entry) -> list[Entry]:
    """What waits in `e`, or ended with it."""
    return [x for x in others(box, e) if x.into == e.delivery.id]


def join(box: Box, e: Entry) -> bool:
    """Let `e`, of which no attempt is under way, go with the newer one that tells it too. False:
    there is none, or it came to nothing."""
    into = box.entries.get(e.named)
    if into is None or into is e or e.done or e.state not in ("queued", "failed"):
        return False
    if into.done:
        return False
    e.into, e.held = into.delivery.id, True
    box.touched.pop(e.delivery.id, None)
    return True


def free(box: Box, e: Entry) -> None:
    """`e` came to nothing: what waited in it goes out by itself."""
    for other in covered(box, e):
        if not other.done:
            other.into, other.held = "", False
            other.next_at = max(box.clock_at, other.delivery.not_before)
            box.touched[other.delivery.id] = True


def _told(box: Box, e: Entry) -> Grade:
    """What the recipient was told last, or is being told, of the warnings that `e` tells of."""
    found = Grade()
    lines = [line_of(e.delivery)]
    lines += [line_of(x.delivery) for x in others(box, e)]
    for line in dict.fromkeys(lines):
        said = [box.entries[i] for i in box.lines.get(line, ()) if i != e.delivery.id]
        said = [x for x in said if x.state not in ("queued", *NOT_REACHED)]
        last = max(said, key=lambda x: x.delivery.version, default=None)
        if last is not None:
            found |= Grade(last.delivery.level, last.delivery.action)
    return found
