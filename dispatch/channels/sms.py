"""Text messages to telephones, through a gateway that apprise reaches by URL.

A 2xx answer is `accepted`: the carrier has it. What becomes of it comes later as receipts
(`P/receipt/sms`).
"""

from config.district import District
from dispatch.alert import Delivery, Route
from dispatch.channels import Told
from dispatch.channels.by_url import post
from dispatch.contacts import address


class Sms:
    """url: template with {to} and {key}; empty: no carrier, every attempt fails for good."""

    def __init__(self, district: District, url: str) -> None:
        self._district = district
        self._url = url
        self._timeout_s = district.channels.attempt_timeout_s

    def send(self, delivery: Delivery, route: Route, key: str) -> Told:
        to = address(self._district, delivery.recipient, "sms")
        # no title: carriers that know none would put it into the text and make it longer
        return post(self._url, to, key, "", route.text, self._timeout_s)
