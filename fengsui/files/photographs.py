"""People's photographs, which stand in no backup: how many records name, and how many can be seen here."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from config.language import Text
from console.model.follow import Follower
from fengsui.run.recipients import place
from fengsui.run.run_log import frames_folder
from fengsui.run.setup import Setup
from ingest.observation import PersonSays
from ingest.people.kept_words import MASTER_KEY
from ingest.people.photos.sealed_photos import FILE as KEYS
from ingest.people.photos.sealed_photos import Pictures
from stream.disk.blobs import FrameStore
from stream.log.port import Log


class Photographs(NamedTuple):
    """named: by records of the log. seen: of these there are, and can be opened, whole. lacking: what of the
    three places that hold them is not there."""

    named: int
    seen: int
    lacking: list[Path]


def photographs(setup: Setup, log: Log) -> Photographs:
    """Each is opened, which takes a moment where there are many. Raises Unavailable."""
    lacking = [p for p in where(setup) if not p.exists()]
    records = (r for _, r in Follower(log, ("observations",)).take())
    named = {r.photo for r in records if isinstance(r, PersonSays) and r.photo}
    # without the keys nothing is tried: whoever opens makes a new one
    pictures = Pictures(FrameStore(frames_folder(setup)), None if lacking else place(setup))
    seen = sum(pictures.get(digest) is not None for digest in sorted(named))
    return Photographs(len(named), seen, lacking)


def where(setup: Setup) -> tuple[Path, Path, Path]:
    """The pictures, the key of each, and the key that wraps these: all three are needed."""
    return frames_folder(setup), place(setup) / KEYS, place(setup) / "keys" / MASTER_KEY


def left_out(setup: Setup, found: Photographs) -> Iterator[Text]:
    """For whoever made a backup."""
    if not found.named:
        return
    kept = ", ".join(map(str, where(setup)))
    yield Text(
        f"  ! 群众照片 {found.named} 张（看得到 {found.seen} 张）和钥匙不在内：另存 {kept}，三样放回才看得到；"
        "恢复后没有它们的照片再也看不到",
        f"  ! {found.named} photographs that people sent ({found.seen} can be seen here) and their keys are "
        f"not in it: keep {kept} apart; a photograph is seen after a restore only with all three put back",
    )


def brought_back(found: Photographs) -> Iterator[Text]:
    """For whoever restored, or looks at the run."""
    if not found.named:
        return
    if found.seen == found.named:
        yield Text(
            f"群众照片：{found.named} 张，都在，都打得开",
            f"photographs that people sent: {found.named}, all of them here and whole",
        )
        return
    yield Text(
        f"! 群众照片：记录里有 {found.named} 张，这里看得到 {found.seen} 张；"
        "照片不在备份里，到期删的、删了人的也看不到",
        f"! photographs that people sent: records name {found.named}, {found.seen} can be seen here; a backup "
        "holds none, and those past their time or of persons who were erased are gone",
    )
    if found.lacking:
        lacking = ", ".join(map(str, found.lacking))
        yield Text(
            f"    → 放回 {lacking}，再看 fengsui audit --once",
            f"    → put {lacking} back, and look at fengsui audit --once",
        )
