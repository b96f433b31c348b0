"""A short message that takes a station or loudspeaker out of judgement, or puts it back: its id, a word
for what is done, and for how long.

    R28 校准 2小时     维护 N004 90分钟     R28 清洗     R28 calibration 2h     R28 维护结束

Pure.
"""

import re
from typing import NamedTuple

from ingest.decode.phrases import plain

USUAL_MIN, LONGEST_MIN = 120, 8 * 60  # who needs longer says it again
_WORDS = (
    ("清洗", r"清洗|清理|清掏|cleaning|clean\b"),
    ("校准", r"校准|检定|标定|滴定|校验|calibrat"),
    ("更换", r"更换|换(?:电池|传感器|设备|雨量|站)|swap|replac"),
    ("维护", r"维护|检修|维修|保养|service|repair|maintenance"),
)
_OVER = re.compile(
    r"(?:维护|检修|维修|校准|检定|清洗|更换|保养)\s*(?:结束|完毕|完成|好了|完了)|结束维护|恢复研判|"
    r"(?:service|calibration|repair|maintenance)\s*(?:is\s*)?(?:done|over|end|finished)"
)
_ID = re.compile(r"(?<![a-z0-9])[a-z]{1,4}-?\d{1,5}[a-z]?(?![a-z0-9])")
_LENGTH = re.compile(r"(\d{1,3})\s*(小时|个小时|h\b|hours?|分钟?|min\b|minutes?|m\b)")


class Wish(NamedTuple):
    """ids: as they stand in the text, lower case. minutes: 0 puts it back."""

    ids: tuple[str, ...]
    minutes: int
    reason: str


def wish(text: str) -> Wish | None:
    """What `text` (any) asks for; None: nothing of the kind."""
    said = plain(text)
    if len(said) > 120:
        return None
    length = _LENGTH.search(said)
    rest = said.replace(length[0], " ") if length else said
    ids = tuple(dict.fromkeys(_ID.findall(rest)))
    reason = next((word for word, pattern in _WORDS if re.search(pattern, said)), "")
    if not ids or not reason:
        return None
    if _OVER.search(said):
        return Wish(ids, 0, reason)
    minutes = USUAL_MIN
    if length:
        hours = length[2][0] in ("小", "个", "h")
        minutes = int(length[1]) * (60 if hours else 1)
    return Wish(ids, minutes, reason) if 0 < minutes <= LONGEST_MIN else None
