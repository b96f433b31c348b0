"""What the public pages have in common, on which people report and on which they subscribe: nobody frames them,
no cache and no other site hears of them, and no script runs but one that is named by its hash."""


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
