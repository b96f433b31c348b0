"""The command openapi."""

import click
import msgspec

from stream.environment import language


@click.command()
@click.argument("door", type=click.Choice(["people", "cap", "receipts", "feed", "residents"]))
def openapi(door: str) -> None:
    """一个 HTTP 入口的 OpenAPI 3.1 文件，给要接入的程序。

    The OpenAPI 3.1 document of an HTTP door, for programs that are to call it.

    people：村民报告；cap：外来 CAP；receipts：运营商回执；feed：CAP 公开清单；residents：居民订阅页。值班台的在
    /api/openapi.json。

    people: reports of people; cap: CAP messages of others; receipts: of carriers; feed: our public CAP;
    residents: the page to subscribe. The duty room's stands at /api/openapi.json."""
    from dispatch.cap import feed_server
    from dispatch.channels.http import receipt_server
    from dispatch.people.residents import door as residents
    from ingest.cap import http_server
    from ingest.people import api
    from stream.http.openapi import document

    of = {
        "people": (api.DOOR, api.PLACES),
        "cap": (http_server.DOOR, http_server.PLACES),
        "receipts": (receipt_server.DOOR, receipt_server.PLACES),
        "feed": (feed_server.DOOR, feed_server.PLACES),
        "residents": (residents.DOOR, residents.PLACES),
    }
    found = document(*of[door], "en" if language() == "en" else "zh")
    click.echo(msgspec.json.format(msgspec.json.encode(found), indent=1).decode())

