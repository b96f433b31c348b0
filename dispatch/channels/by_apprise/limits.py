"""What one message to a bot may hold, and how many it takes: from the services' own pages, 2026-11. Pure.

A service without a row has said nothing that we could find; a district writes what it knows into its
carrier (`part_bytes`, `per_minute`).
"""

import json
from typing import NamedTuple

# what stands round the text in the JSON of a message: {"msgtype": "text", "text": {"content": ""}, "at": …}
_ENVELOPE = 500
# of a window, what is kept for red and 立即转移
_KEPT = 4


class BotLimits(NamedTuple):
    """text_bytes: of the text in UTF-8, body_bytes: of the whole JSON; 0: not known. windows: (messages,
    seconds), each by itself."""

    text_bytes: int = 0
    body_bytes: int = 0
    windows: tuple[tuple[int, float], ...] = ()

    def room(self, text: str) -> int:
        """How many bytes more a message with this text could hold; below 0: it is refused."""
        rooms = []
        if self.text_bytes:
            rooms.append(self.text_bytes - len(text.encode(errors="replace")))
        if self.body_bytes:
            # apprise writes a Chinese character as \uXXXX, six bytes, and which of both is counted is not
            # said: the longer one
            rooms.append(self.body_bytes - _ENVELOPE - len(json.dumps(text)))
        return min(rooms, default=1)


def most(messages: int, urgent: bool) -> int:
    """How many of a window a message may find taken and still go: the last quarter is for red and
    立即转移."""
    return messages if urgent else max(1, messages - messages // _KEPT)


# by apprise's name of the service
LIMITS: dict[str, BotLimits] = {
    # developer.work.weixin.qq.com/document/path/91770: content at most 2,048 bytes in UTF-8, 20 a minute
    "wecombot": BotLimits(text_bytes=2048, windows=((20, 60.0),)),
    # open.dingtalk.com, custom-robot-access: 20 a minute, whoever sends more is shut out for ten minutes.
    # Its answer 460101: the body within 20,000 bytes
    "dingtalk": BotLimits(body_bytes=20_000, windows=((20, 60.0),)),
    # open.feishu.cn/document/client-docs/bot-v3/add-custom-bot: 100 a minute and 5 a second for each bot,
    # the body at most 20 KB
    "feishu": BotLimits(body_bytes=20_000, windows=((100, 60.0), (5, 1.0))),
}


def limits_of(names: tuple[str, ...], part_bytes: int = 0, per_minute: int = 0) -> BotLimits:
    """Of the service of one of these names; what the district says counts instead."""
    found = next((LIMITS[n] for n in names if n in LIMITS), BotLimits())
    if part_bytes:
        found = found._replace(text_bytes=part_bytes, body_bytes=0)
    if per_minute:
        found = found._replace(windows=((per_minute, 60.0),))
    return found
