"""Who was asked for a code, and how strong their answer is: folded from judged answers in any order. Pure."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from dispatch.proving.judged import STRENGTHS, JudgedAnswer, Strength, Verdict, stronger


class Heard(msgspec.Struct, frozen=True):
    """One person who must answer. strength: "" while nothing is known. verdict: of their newest answer.
    wrong: codes that were not theirs."""

    person: str
    strength: Literal["", Strength]
    verdict: Literal["", Verdict] = ""
    wrong: int = 0
    at: int = 0  # of the newest answer; 0: none

    @property
    def proven(self) -> bool:
        """The code was right, or more."""
        return self.strength in STRENGTHS[STRENGTHS.index("code") :]


def heard(
    person: str, answers: Iterable[JudgedAnswer], *, delivered: bool, acted: bool = False, failed: bool = False
) -> Heard:
    """delivered: a telephone has the message. acted: they moved people, and it is proved. failed:
    they were called again and gave no code: what they said before is said, and no more. The strongest answer
    counts, and no later one takes it back."""
    best: Literal["", Strength] = "received" if delivered else ""
    newest, wrong = (0, "", ""), 0
    for a in answers:
        best = stronger(best or "received", a.strength)
        wrong = max(wrong, a.wrong)
        newest = max(newest, (a.answered_at, a.id, a.verdict))
    best = "acted" if acted else best
    if failed and best in ("code", "acted"):
        best = "read"
    return Heard(person, best, newest[2], wrong, newest[0])  # type: ignore[arg-type]
