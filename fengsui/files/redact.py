"""Passwords and keys out of a district's files, before they go into a backup. Pure.

What names where a secret lies (`env:NAME`, `file:PATH`) is none and stays.
"""

import re

_WORD = (
    rb"(?:password|passwd|token|secret|authorization|api[_-]?key|access[_-]?key|private[_-]?key)"
)
_VALUE = rb"""("(?!(?:env|file):)(?:[^"\\\n]|\\.)+"|'(?!(?:env|file):)[^'\n]+')"""
_FIELD = re.compile(rb"""(?i)((?:["'][\w.-]*|\b[\w-]*)""" + _WORD + rb"""["']?\s*=\s*)""" + _VALUE)
_URL = re.compile(rb"(://[^\s/:@\"']*:)[^\s/@\"']+(?=@)")
_ASKED = re.compile(rb"(?i)([?&;][\w-]*key=|\b[\w-]*(?:password|passwd|token|secret)=)[^\s&\"'{*]+")
_INLINE = re.compile(rb"(?i)(\bheaders\s*=\s*\{)([^}\n]*)(\})")
_SECTION = re.compile(rb"(?m)^\s*\[\[?([^\]\n]+)\]\]?.*$")
_PAIR = re.compile(rb"(=\s*)" + _VALUE)
# services of apprise and the like carry their key as the host or path; these carry none there
_PLAIN = b"https?|mqtts?|kafkas?|sqlite|influxs?|smtps?|smpps?|tcp|tls|file|env|urn"
_CHAT = re.compile(
    rb"(?i)\b((?!(?:" + _PLAIN + rb"):)[a-z][a-z0-9+.-]{1,20}://)(?!\*\*\*)[^\s\"'<>]+"
)
_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")


def private(body: bytes) -> bool:
    """Does a private key stand in it?"""
    return _KEY.search(body) is not None


def redacted(body: bytes) -> bytes:
    """A TOML file with *** for each password, token, key, header and URL that carries one."""
    parts, at, headers = [], 0, False
    for section in [*_SECTION.finditer(body), None]:
        end = section.start() if section else len(body)
        parts.append(_lines(body[at:end], headers=headers))
        if section:
            parts.append(section[0])
            headers, at = b"headers" in section[1].lower(), section.end()
    return b"".join(parts)


def _lines(body: bytes, *, headers: bool) -> bytes:
    if headers:
        body = _PAIR.sub(rb'\1"***"', body)
    body = _INLINE.sub(lambda m: m[1] + _PAIR.sub(rb'\1"***"', m[2]) + m[3], body)
    body = _FIELD.sub(rb'\1"***"', body)
    body = _URL.sub(rb"\1***", body)
    body = _ASKED.sub(rb"\1***", body)
    return _CHAT.sub(rb"\1***", body)
