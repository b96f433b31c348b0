"""What the public pages have in common, on which people report and on which they subscribe: nobody frames them,
no cache and no other site hears of them, and no script runs but one that is named by its hash; and what a form
of theirs says is read within the same bounds."""

from typing import Literal
from urllib.parse import parse_qsl

from stream.http.asked import TooLarge

_FIELDS = 16  # of a form: more than any page of ours has


def form_fields(body: bytes) -> dict[str, str]:
    """The fields of a form without files. Raises TooLarge."""
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=_FIELDS))
    except ValueError as e:
        raise TooLarge from e


def page_language(asked: str | None) -> Literal["zh", "en"]:
    """The language of a page by its `lang`: Chinese where nothing else was chosen."""
    return "en" if asked == "en" else "zh"


def page_headers(script: str = "") -> dict[str, str]:
    """Of every answer. script: the SHA-256 of the page's one script, base64; "": it has none."""
    runs = f"script-src 'sha256-{script}'; " if script else ""
    return {
        "Content-Security-Policy": f"default-src 'none'; {runs}style-src 'unsafe-inline'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
