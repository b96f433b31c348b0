"""The guard round one message: whatever a program error in it raises becomes a dead letter, and the
next message is read. What the log itself raises is no fault of a message, and is never caught here.
"""

import traceback
from pathlib import Path

from config.language import Said, Text, each, en, zh
from stream.limits import clean
from stream.log.port import Corrupt, Fenced, Out, Unavailable
from stream.oplog import say, visible
from stream.records import DeadLetter, Rejected, encode

OF_THE_LOG = (Unavailable, Fenced, Corrupt)
_DETAIL = 400
_MOST = 200  # places that are told once each: a message that comes again fills no journal
_told: set[Said] = set()


def fault(e: BaseException) -> str:
    """The kind of an error and the place it stands at. Never its words: they may hold what a person
    wrote, or a number."""
    last = traceback.extract_tb(e.__traceback__, limit=-1)
    if not last:
        return type(e).__name__
    return f"{type(e).__name__} in {last[0].name}, {Path(last[0].filename).name}:{last[0].lineno}"


def unread(stage: str, e: Exception) -> Rejected:
    """Why a message that raised `e` is put aside."""
    words = Text(
        f"程序出错，这条搁置：{fault(e)}", f"a program error, this message is put aside: {fault(e)}"
    )
    once(stage, words)
    return Rejected("bad_payload", words)


def once(stage: str, words: Said) -> None:
    """Say it in the journal, once for each place."""
    if words not in _told and len(_told) < _MOST:
        _told.add(words)
        say(stage, Text(f"{zh(words)}；请报告", f"{en(words)}; please report it"))


def letter(at: int, source: str, why: Rejected, payload: bytes = b"") -> Out:
    """A dead letter, which can be written down whatever it is of."""
    source = visible(clean(source))
    detail = each(why.detail, lambda words: visible(clean(words))[:_DETAIL])
    record = DeadLetter.of(at, source, why.reason, detail, payload)
    return Out("dead-letters", source, encode(record))
