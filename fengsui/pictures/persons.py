"""What of a picture may be shown to people and leave the house: pictures.csv says of each camera whether
persons in it are made unrecognisable. The picture as it was taken stays in the frame store, by its hash.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from config.language import Said, Text
from config.records.devices.pictures import PEOPLE, PictureRule
from config.records.district import District
from detectors.camera import persons

_KEPT = 64  # pictures made ready, of some 100 kB

_BLURRED = Text("找到的人已遮", "persons that were found are hidden")
_COARSE = Text("整幅打成粗块", "the whole picture in coarse blocks")
_UNREAD = Text("图像读不了，不给看", "the picture cannot be read and is not shown")


class Hidden(NamedTuple):
    """body: a JPEG, or None where nothing may be shown. how: what was done to it, empty where nothing."""

    body: bytes | None
    how: Said


def rule_of(district: District, camera: str) -> PictureRule | None:
    """Of a camera's pictures, or of people's (`people`); of a picture whose camera is not known, or no
    longer, the strictest of all rows."""
    rules = district.pictures
    if camera and camera not in district.stations:  # a person, or a camera that was taken away
        camera = PEOPLE if camera in district.contacts else ""
    named = [r for r in rules if camera in r.cameras]
    if camera and (named or camera == PEOPLE):
        return named[0] if named else None
    if camera:
        return next((r for r in rules if "*" in r.cameras), None)
    strict = [r for r in rules if r.persons == "coarse"] or [r for r in rules if r.persons == "hide"]
    return strict[0] if strict else None


def hidden(rule: PictureRule | None, body: bytes) -> Hidden:
    """A picture as this rule lets it be seen."""
    if rule is None or rule.persons == "show":
        return Hidden(body, "")
    if rule.persons == "hide":
        lacks = persons.missing()
        if lacks is None:
            return _of(persons.without_persons(body), _BLURRED)
        if rule.undetected == "show":
            said = Text("按区里的规定原样给看：", "shown as it was taken, as the district decided: ")
            return Hidden(body, said + lacks)
        return _of(persons.coarse(body), _COARSE + Text("：", ": ") + lacks)
    return _of(persons.coarse(body), _COARSE)


def _of(made: bytes | None, how: Said) -> Hidden:
    return Hidden(made, how) if made is not None else Hidden(None, _UNREAD)


def hider(district: District) -> Callable[[str, bytes], Hidden]:
    """For a page that shows the same picture again and again: (camera, body) -> what may be seen."""

    @lru_cache(maxsize=_KEPT)
    def made(camera: str, body: bytes) -> Hidden:
        return hidden(rule_of(district, camera), body)

    return made
