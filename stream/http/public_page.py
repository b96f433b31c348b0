"""What the two public pages have in common, on which people report and on which they subscribe: a page that no
script runs on, that nobody frames, and that no cache and no other site hears of."""

from starlette.responses import HTMLResponse, Response

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def public_page(text: str, status: int = 200) -> Response:
    """HTML, with what holds of every page of the public."""
    return HTMLResponse(text, status, headers=HEADERS)
