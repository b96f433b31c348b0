"""`fengsui skill --public`: carries out the protocols and writes the page."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from config.language import Text, text_of
from fengsui.play.scoring import played
from fengsui.review.public_page import VERDICT, counts_words, ordered, public_page
from fengsui.run.terminal import echo
from fengsui.status.checked_district import load_district
from simulators.scenario import storm_set
from skill.public import PROTOCOLS
from skill.public.protocols import read
from skill.public.trial import try_out
from skill.verify.orders import order_figures
from stream.environment import Usage, language

_MAPS = Path(__file__).parents[2] / "config" / "maps"


def publish(config: Path, page: Path, data: Path | None, storms: int) -> None:
    """Write the page, and the same beside it as JSON. Raises Usage: there is no such folder of data,
    or nothing to test at all."""
    if data is not None and not data.is_dir():
        raise Usage(Text(f"--data {data}：没有这个目录", f"--data {data}: no such folder"))
    if data is None and not storms:
        raise Usage(
            Text(
                "没有可检验的：给出 --data（实测资料）或 --storms（模拟）",
                "nothing to test: give --data (measurements) or --storms (simulated ones)",
            )
        )
    district = load_district(config)
    protocols, digest = read(PROTOCOLS.read_bytes(), PROTOCOLS.name)
    results = []
    for n, protocol in enumerate(protocols if data is not None else (), 1):
        echo(f"{n}/{len(protocols)} " + protocol.title, err=True)
        assert data is not None
        results.append(try_out(protocol, data, _MAPS))
    orders = None
    if storms:
        echo(Text(f"模拟 {storms} 场", f"{storms} simulated storms"), err=True)
        rows = (x for r in played(district, storm_set(storms)) for x in r.scores["move"].rows)
        orders = order_figures("move", rows)
    made = datetime.now(UTC)
    html = public_page(results, orders, storms, digest, district.version, made, language())
    page.write_text(html, "utf-8")
    told = {"protocols_sha256": digest, "made": made, "storms": storms}
    whole = told | {"order_to_move": orders and orders._asdict(), "results": ordered(results)}
    beside = page.with_suffix(".json")
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(whole)) + b"\n")
    for r in ordered(results):
        told_ = counts_words(r.ours) if r.ours else text_of(r.why)
        echo(
            "  "
            + VERDICT[r.verdict]
            + Text("：", ": ")
            + r.protocol.title
            + Text("：", ": ")
            + told_
        )
    echo(Text(f"已写 {page}；{beside}", f"written: {page}; {beside}"))
