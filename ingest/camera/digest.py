"""HTTP authentication as cameras ask for it: Digest (RFC 7616, and RFC 2617 before it) and Basic (RFC
7617). Pure: the client's nonce comes in."""

import hashlib
import re
from base64 import b64encode

# where the next challenge begins in a header that holds several, or in several that were made one
_NEXT = re.compile(r",\s*(?=(?:digest|basic)\s)", re.IGNORECASE)
_PARAMETER = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))')
_HASHES = {
    "MD5": hashlib.md5,
    "SHA-256": hashlib.sha256,
    "SHA-512-256": lambda b: hashlib.new("sha512_256", b),
}
_STRONGEST = ("SHA-512-256", "SHA-256", "MD5")


def answer(
    challenges: str, method: str, target: str, user: str, password: str, cnonce: str
) -> str | None:
    """The header Authorization for one request; None where no challenge can be answered. The strongest of
    Digest is taken, Basic only where nothing else is offered. challenges: the header WWW-Authenticate;
    target: path and query as they are asked for.

    >>> answer('Basic realm="x"', "GET", "/", "Mufasa", "Circle", "")
    'Basic TXVmYXNhOkNpcmNsZQ=='
    """
    digests: dict[str, dict[str, str]] = {}
    basic = False
    for challenge in _NEXT.split(challenges):
        scheme, _, rest = challenge.strip().partition(" ")
        if scheme.lower() == "digest":
            given = _parameters(rest)
            digests.setdefault(given.get("algorithm", "MD5").upper(), given)
        basic |= scheme.lower() == "basic"
    for name in _STRONGEST:
        for algorithm in (name, f"{name}-SESS"):
            if algorithm in digests and (
                made := _digest(
                    digests[algorithm], algorithm, method, target, user, password, cnonce
                )
            ):
                return made
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode() if basic else None


def _parameters(text: str) -> dict[str, str]:
    return {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else bare
        for name, quoted, bare in _PARAMETER.findall(text)
    }


def _digest(
    given: dict[str, str],
    algorithm: str,
    method: str,
    target: str,
    user: str,
    password: str,
    cnonce: str,
) -> str | None:
    realm, nonce = given.get("realm", ""), given.get("nonce", "")
    offered = [q.strip().lower() for q in given.get("qop", "").split(",") if q.strip()]
    if offered and "auth" not in offered:
        return None  # auth-int alone: no camera is known that asks for it

    def h(text: str) -> str:
        return _HASHES[algorithm.removesuffix("-SESS")](text.encode()).hexdigest()

    secret = h(f"{user}:{realm}:{password}")
    if algorithm.endswith("-SESS"):
        secret = h(f"{secret}:{nonce}:{cnonce}")
    asked = h(f"{method}:{target}")
    middle = f"{nonce}:00000001:{cnonce}:auth" if offered else nonce
    parts = {
        "username": user, "realm": realm, "nonce": nonce, "uri": target,
        "response": h(f"{secret}:{middle}:{asked}"),
    }  # fmt: skip
    if "opaque" in given:
        parts["opaque"] = given["opaque"]
    quoted = [f'{k}="{_quoted(v)}"' for k, v in parts.items()]
    if "algorithm" in given:
        quoted.append(f"algorithm={given['algorithm']}")
    if offered:
        quoted += ["qop=auth", "nc=00000001", f'cnonce="{cnonce}"']
    return "Digest " + ", ".join(quoted)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
