"""Pushes to an app on a phone, through a service that apprise reaches by URL.

A 2xx answer is `accepted`; later states come as receipts (`P/receipt/app`).
"""

from config.district import District
from dispatch.alert import Delivery, Route
from dispatch.channels import Told
from dispatch.channels.by_url import post
from dispatch.contacts import address


class App:
    """url: template with {to} and {key}; empty: no service, every attempt fails for good."""

    def __init__(self, district: District, url: str) -> None:
        self._district = district
        self._url = url
        self._timeout_s = district.channels.attempt_timeout_s

    def send(self, delivery: Delivery, route: Route, key: str) -> Told:
        to = address(self._district, delivery.recipient, "app")
        return post(self._url, to, key, route.title, route.text, self._timeout_s)
