"""The codes of answers in the hands of send: the run's key for them, and their figures put into a message as it
leaves. The log holds a blank in their place."""

import hashlib
import secrets
from pathlib import Path

import msgspec

from config.language import Text, en, zh
from config.records.district import District
from dispatch.nodes.keys import read_secret
from dispatch.proving.codes import AnswerCodes
from dispatch.records import Delivery, Route
from dispatch.words.spoken import telephone
from stream.disk.files import create_file, make_folder


def codes_of(district: District, folder: Path, run: str, live: bool) -> AnswerCodes | None:
    """The codes of a run, by the key `keys/answer-codes.key` of its folder, which is made at first; None where
    the district asks for none. Of an exercise the key follows from the run's name, so that two plays of one
    storm agree: nothing real hangs on it. Raises ValueError naming the file where it is no key, or others may
    read it."""
    proving = district.policy.proving
    if not proving.code:
        return None
    key = hashlib.sha256(f"fengsui exercise answer codes|{run}".encode()).digest()
    if live:
        make_folder(folder / "keys", 0o700)
        file = folder / "keys" / "answer-codes.key"
        if not file.exists():
            create_file(file, secrets.token_hex(32).encode() + b"\n")
        key = read_secret(file)
    return AnswerCodes.of(key, run, live, proving)


def with_figures(
    codes: AnswerCodes | None, delivery: Delivery, route: Route
) -> tuple[Delivery, Route]:
    """The same with the code, to be sent and never kept. A call says it figure by figure."""
    if not delivery.code or codes is None:
        return delivery, route
    code = codes.code(delivery.alert, delivery.recipient)
    said = Text(telephone(code), " ".join(code)) if route.channel == "voice" else Text(code, code)
    text = Text(
        zh(route.text).replace(delivery.code, said.en if delivery.lang == "en" else said.zh),
        en(route.text).replace(delivery.code, said.en),
    )
    whole = text.zh if isinstance(route.text, str) else text
    return (
        msgspec.structs.replace(delivery, code=code),
        msgspec.structs.replace(route, text=whole),
    )
