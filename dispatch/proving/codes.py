"""The code of an answer (确认码): a few figures that stand in a message to somebody who must answer, one a
person and warning. Whoever sends it back, or keys it, has had the message to its end. Pure.

It is the front of HMAC-SHA-256 under the run's own key over the run, the warning and the person, so nobody
finds another's, or the next, from their own. The log holds `BLANK` in its place; send puts the figures in as
a message leaves, and compares. A live code begins with 1 … 9, an exercise's with 0: none of the one kind is
ever one of the other.
"""

import hmac
from typing import Literal, NamedTuple

from config.language import Said, each
from config.records.authority import Proving

BLANK = "＊"  # stands for one figure


class AnswerCodes(NamedTuple):
    """key: of the run; run: its name. The rest: config.records.authority.Proving."""

    key: bytes
    run: str
    live: bool
    digits: int = 4
    valid_ms: int = 3_600_000
    wrong_most: int = 5

    @classmethod
    def of(cls, key: bytes, run: str, live: bool, proving: Proving) -> "AnswerCodes":
        """As the district's policy has it."""
        return cls(key, run, live, proving.digits, proving.valid_min * 60_000, proving.wrong_most)

    def code(self, alert: str, person: str) -> str:
        """The figures for one person and warning.

        >>> live, drill = AnswerCodes(b"k", "live", True), AnswerCodes(b"k", "live", False)
        >>> live.code("al-1", "C-1") == live.code("al-1", "C-1") != live.code("al-1", "C-2")
        True
        >>> drill.code("al-1", "C-1")[0], live.code("al-1", "C-1")[0] == "0"
        ('0', False)
        """
        said = "\x1f".join((self.run, alert, person)).encode()
        n = int.from_bytes(hmac.digest(self.key, said, "sha256")[:8], "big")
        tens = 10 ** (self.digits - 1)
        return str(tens + n % (9 * tens)) if self.live else f"{n % tens:0{self.digits}d}"

    def is_right(self, alert: str, person: str, code: str) -> bool:
        """Whether these are the figures."""
        return hmac.compare_digest(self.code(alert, person).encode(), code.encode("utf-8"))


def blank(digits: int) -> str:
    """What stands in the log for a code of so many figures."""
    return BLANK * digits


# what a message says now where it asks for an answer -> what it says where it asks for the code
_ASKS: dict[str, tuple[tuple[str, str], ...]] = {
    "zh": (
        ("收到请回复。", "收到请回复确认码{code}。"),
        ("听完请按键确认。", "听完请按确认码{code}。"),
    ),
    "en": (("Please answer.", "Please answer with code {code}."),),
}
_VOICE = {"zh": "听完请按确认码{code}。", "en": " Please key in code {code}."}
_WRITTEN = {"zh": "收到请回复确认码{code}。", "en": " Please answer with code {code}."}


def asking(text: Said, lang: Literal["zh", "en"], channel: str, code: str) -> Said:
    """The text of a message that asks for the code, in place of any answer.

    >>> asking("请到岗。收到请回复。", "zh", "sms", "＊＊＊＊")
    '请到岗。收到请回复确认码＊＊＊＊。'
    >>> asking("Stand by.", "en", "voice", "＊＊＊＊")
    'Stand by. Please key in code ＊＊＊＊.'
    """

    def half(one: str) -> str:
        for plain, with_code in _ASKS[lang]:
            if plain in one:
                return one.replace(plain, with_code.format(code=code))
        return one + (_VOICE if channel == "voice" else _WRITTEN)[lang].format(code=code)

    return each(text, half)
