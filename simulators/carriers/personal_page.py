"""The personal page as a simulated head uses it: the form with a photograph, as a browser posts it."""

from collections.abc import Callable

import urllib3

from simulators.people import Shown
from simulators.views.photograph import photograph

_WAIT_S = 60.0
_Field = tuple[str, str | bytes | tuple[str, str | bytes] | tuple[str, str | bytes, str]]


class PersonalPages:
    """link: the address of somebody's page. What cannot be posted is told by raising nothing: a person whose
    page does not answer has not reported."""

    def __init__(self, link: Callable[[str], str], zone: str) -> None:
        self._link, self._zone = link, zone
        self._links: dict[str, str] = {}
        self._pool = urllib3.PoolManager(retries=False, timeout=_WAIT_S)

    def post(self, shown: Shown) -> bool:
        """Whether the page took it."""
        picture = photograph(
            shown.picture, shown.taken_at, self._zone, shown.place, blank=shown.blank
        )
        fields: list[_Field] = [
            ("id", shown.ident), ("area", shown.area), ("what", "moved"), ("how", shown.how),
            ("people", str(shown.people)), ("photo", ("photo.jpg", picture, "image/jpeg")),
        ]  # fmt: skip
        try:
            url = self._links.get(shown.person) or self._link(shown.person)
            self._links[shown.person] = url
            body, kind = urllib3.encode_multipart_formdata(fields, boundary=shown.ident)
            found = self._pool.request("POST", url, body=body, headers={"Content-Type": kind})
        except (OSError, ValueError, urllib3.exceptions.HTTPError):
            return False
        return found.status == 200
