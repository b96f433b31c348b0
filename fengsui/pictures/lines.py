"""How long pictures are kept and what was deleted, in lines."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from config.language import Said, Text
from config.records.district import District
from dispatch.words.local_time import local
from fengsui.pictures.index import FILE, PictureIndex
from fengsui.pictures.keeping import undeclared

_NAMED = 8


def asks(district: District) -> Text | None:
    """What a district has not declared; None: nothing."""
    names = undeclared(district)
    if not names:
        return None
    shown = " ".join(names[:_NAMED]) + ("…" if len(names) > _NAMED else "")
    return Text(
        f"图像留几天没有写，一张也不删：{shown}。按国务院令第 799 号和区里的规定写进 pictures.csv",
        f"nobody has said how long pictures are kept, so none is deleted: {shown}. Declare it in pictures.csv, "
        "by State Council order 799 and the district's own rules",
    )


def undetected(district: District) -> Text | None:
    """What becomes of pictures in which persons are to be hidden and no detector is installed."""
    rows = [r for r in district.pictures if r.persons == "hide"]
    if not rows:
        return None
    from detectors.camera.persons import (
        missing,  # pictures are loaded where a district hides persons
    )

    if (lacks := missing()) is None:
        return None
    shown = " ".join(r.purpose for r in rows if r.undetected == "show")
    coarse = " ".join(r.purpose for r in rows if r.undetected == "coarse")
    said = Text("遮人：", "persons are to be hidden: ") + lacks
    if coarse:
        said += Text(f"；整幅打成粗块：{coarse}", f"; the whole picture is coarse: {coarse}")
    if shown:
        said += Text(f"；照区里的规定原样给看：{shown}", f"; shown as taken, as declared: {shown}")
    return said


def picture_lines(district: District, folder: Path) -> Iterator[Said]:
    """Of a run whose folder this is; none where no camera is declared."""
    if not any(s.quantity == "frame" for s in district.stations.values()):
        return
    if (asked := asks(district)) is not None:
        yield "! " + asked
    if (bare := undetected(district)) is not None:
        yield "! " + bare
    for row in district.pictures:
        more = Text("一直留着", "for ever")
        if row.evidence_days is not None:
            more = Text(f"{row.evidence_days} 天", f"{row.evidence_days} days")
        yield Text(
            f"图像 {row.purpose}：{row.days} 天，作证据的{more.zh}（{row.basis}）",
            f"pictures {row.purpose}: {row.days} days, as evidence {more.en} ({row.basis})",
        )
    if not district.pictures or not (folder / FILE).exists():
        return
    try:
        index = PictureIndex(folder / FILE)
        try:
            found = index.deleted()
        finally:
            index.close()
    except sqlite3.Error as e:
        yield f"! {FILE}: {e}"
        return
    at = local(found.at, district.timezone) if found.at else "-"
    mb = found.bytes / 1e6
    yield Text(
        f"图像清理：{at}，共删 {found.many} 张 {mb:.0f} MB；到期而为证据、预警留下 {found.held} 张",
        f"pictures deleted: {found.many}, {mb:.0f} MB, last look {at}; {found.held} past their time are kept "
        "for evidence or a warning",
    )
    if found.blind:
        before = local(found.blind, district.timezone, "%Y-%m-%d %H:%M")
        yield Text(
            f"  {before} 以前的图像，日志已不记得哪些作过证据：不自动删",
            f"  of pictures before {before} the log knows no more which were evidence: none is deleted by "
            "itself",
        )
