"""Who signs a decision for a run: the console's desk, an exercise's command line, or an officer's own
key; and where the list of those whose signatures count lies (dispatch/signatures/signers.py)."""

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.language import Text, en, text_of, zh
from dispatch.signatures.proof import Era, Trust, signed
from dispatch.signatures.signers import (
    FILE,
    Desk,
    Sign,
    Signers,
    begin,
    fit,
    following,
    officer_key,
    put,
    read,
)
from fengsui.run.setup import Setup
from stream.environment import Usage, secret, spoken
from stream.log.port import Log
from stream.oplog import say


def signers_folder(setup: Setup) -> Path:
    """Of a live run the folder of its own that FENGSUI_SIGNERS names, where decide and the console do
    not share a state folder; else `keys/` of the run."""
    apart = os.environ.get("FENGSUI_SIGNERS", "") if setup.live else ""
    return Path(apart) / setup.run.name if apart else setup.folder / "keys"


def judging(setup: Setup, log: Log, stop: threading.Event) -> Callable[[], Trust]:
    """For decide: whose signatures count, looked up for each act of a person. A log that is away is waited
    for until `stop`: without the list that is begun here every act would be refused."""
    from stream.stages.answered import answered  # whoever only signs counts nothing for operators

    folder, district = signers_folder(setup), setup.district.id

    def of_cases() -> tuple[int, int]:
        return log.positions("cases", "decide")[0], log.ends("cases")[0]

    try:
        if (found := answered("decide", stop, of_cases)) is not None:
            begin(folder, setup.run.name, district, found[0])
            fit(folder, district, found[1])
    except (OSError, ValueError) as e:
        say(
            "decide",
            Text(
                f"{folder}: 签名人名单不可用：{zh(e)}",
                f"{folder}: the list of signers cannot be used: {en(e)}",
            ),
        )
    return Signers(folder, setup.run.name, district).trust


def trusted(setup: Setup) -> Trust | None:
    """The list as it stands; None where there is none that can be read."""
    try:
        return read(signers_folder(setup) / FILE, setup.district.id)
    except (OSError, ValueError):
        return None


def places(trust: Trust) -> list[int]:
    """Every place of `cases` that the list names, in the order that `adopt` takes them in."""
    ends = [s.until for e in trust.eras for s in e.signers if s.until is not None]
    return [*(e.since for e in trust.eras), *ends]


def adopt(setup: Setup, old: Trust, where: Sequence[int], end: int) -> None:
    """The list of a run that was restored. where: the `places` of `old` in this log. Up to `end` each
    act is judged as it was then; what comes after is signed for this run, by the same keys. Raises
    OSError."""
    since, ends = where[: len(old.eras)], iter(where[len(old.eras) :])
    eras = [
        Era(
            since=begins,
            run=e.run,
            signers=tuple(
                s if s.until is None else msgspec.structs.replace(s, until=next(ends))
                for s in e.signers
            ),
        )
        for e, begins in zip(old.eras, since, strict=True)
    ]
    eras.append(following(old, end, setup.run.name))
    put(signers_folder(setup), Trust(district=setup.district.id, eras=tuple(eras)))


def desk(setup: Setup, handled: Callable[[], int]) -> Desk:
    """The desk of this run on this machine. handled: where decide stands in `cases`."""
    return Desk(setup.folder, signers_folder(setup), setup.run.name, setup.district.id, handled)


def desk_of(setup: Setup, open_log: Callable[[], Log]) -> Desk:
    """The same, for a program that opens the log when it has to."""

    def handled() -> int:
        log = open_log()
        try:
            return log.positions("cases", "decide")[0]
        finally:
            log.close()

    return desk(setup, handled)


def sign_as(setup: Setup, log: Log, by: str, key: Path | None) -> Sign:
    """How the command line signs in the name of `by`. A live run asks for the officer's own key; an
    exercise, whose whole folder is its players', signs by itself. Raises Usage."""
    if not setup.live:
        return desk(setup, lambda: log.positions("cases", "decide")[0]).sign
    private = _private(by, key)
    return lambda d: signed(d, private, setup.run.name, setup.district.id)


def vouch(setup: Setup, by: str, key: Path | None) -> None:
    """For acts that carry no signature (resend, outcome, service, mandate): in a live run nobody goes
    by the name of an officer who has, or had, a key on the list without showing that key. So a name
    that was merely typed is refused; whoever can write to the log needs no command. Raises Usage."""
    trust = trusted(setup) if setup.live else None
    theirs = [s for s in trust.now.signers if s.officer == by] if trust and trust.eras else []
    if not theirs:
        return
    found = Ed25519PrivateKey.from_private_bytes(_private(by, key)).public_key()
    if found.public_bytes_raw().hex() not in {s.key for s in theirs if s.until is None}:
        raise Usage(
            Text(
                f"{key or usual_place(by)}: 不是 {by} 现用的钥匙，见 fengsui signer list",
                f"{key or usual_place(by)}: is not the key that counts for {by}, see fengsui "
                "signer list",
            )
        )


def _private(by: str, key: Path | None) -> bytes:
    """The officer's own key, opened. Raises Usage."""
    file = key or usual_place(by)
    if not file.exists():
        raise Usage(
            Text(
                f"{file}: 没有 {by} 的钥匙；实况由本人的钥匙作证（--key FILE），或在值班台办理。"
                f"造一把：fengsui signer make {by}",
                f"{file}: there is no key of {by}; a live act is proved by the officer's own "
                f"key (--key FILE), or made at the console. Make one: fengsui signer make {by}",
            )
        )
    try:
        return officer_key(file, _passphrase(file))
    except ValueError as e:
        raise Usage(text_of(e)) from e


def usual_place(by: str) -> Path:
    """Where an officer's key is looked for. Raises Usage: no officer has such an id."""
    if not by.replace("-", "").isalnum():
        raise Usage(Text(f"{by!r}: 不是人员代号", f"{by!r}: is no officer's id"))
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return home / "fengsui" / f"{by}.key"


def _passphrase(file: Path) -> str:
    found = secret("FENGSUI_OFFICER_PASSPHRASE")
    return found or str(
        click.prompt(
            spoken(Text(f"{file} 的口令", f"passphrase of {file}")), hide_input=True, err=True
        )
    )
