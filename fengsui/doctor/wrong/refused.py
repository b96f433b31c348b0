"""What was refused of a station in the last hour: reason, field, and what to do. Pure."""

from collections.abc import Iterator

from config.language import Text
from fengsui.doctor.case import Case, Finding, Weight
from fengsui.doctor.words import ADVICE, LOOK_AT
from fengsui.doctor.wrong.links import last_hour, sort_of, words_of
from stream.records import DeadLetter

_FEW_OTHERS = ("retained", "unknown_element", "unasked", "no_frame")  # that cost no reading


def letters_of(case: Case, name: str) -> list[DeadLetter]:
    """Its own, and those of the address that it has; of a gateway's those that name the station."""
    table = case.heard.letters.of
    return [letter for n in (name, *case.addresses(name)) for letter in table.get(n, ())]


def refused(case: Case, name: str) -> Iterator[Finding]:
    """Of the last hour, a finding each reason."""
    taken = case.view.flags.heard.get(name, 0)
    for reason, letters in sort_of(letters_of(case, name), last_hour(case)).items():
        if reason == "clock_ahead" and any(f.test == reason for f in case.view.flags.of(name)):
            continue  # told as a flag, with how much
        newest = letters[-1]
        blind = newest.received_at > taken and reason not in _FEW_OTHERS
        said = words_of(newest)
        yield Finding(
            f"refused_{reason}",
            "message",
            Weight.BLIND if blind else Weight.NOTE if reason in _FEW_OTHERS else Weight.DOUBT,
            Text(
                f"一小时内 {len(letters)} 条没收（{reason}），最后 {case.when(newest.received_at)}：{said.zh}",
                f"{len(letters)} messages refused in the last hour ({reason}), last at "
                f"{case.when(newest.received_at)}: {said.en}",
            ),
            ADVICE.get(reason, LOOK_AT),
        )
