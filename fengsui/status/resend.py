"""`fengsui resend`: reads what was sent, and queues it again (console/acts/resend.py)."""

from collections.abc import Callable, Sequence

from config.language import Text, text_of
from console.acts.resend import of_area, one, repeat
from console.model.view import View
from dispatch.records import Delivery
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup
from fengsui.run.terminal import echo
from fengsui.status.look import look_at
from stream.environment import Usage
from stream.log.port import Out
from stream.records import encode
from stream.wall_clock import now_ms


def resend_one(setup: Setup, delivery: str, channel: str, by: str) -> int:
    """One delivery by its id."""
    return _again(setup, lambda view, _: [one(view, delivery)], channel, by)


def resend_area(setup: Setup, area: str, channel: str, by: str) -> int:
    """The newest version of every warning for an area, to everybody who was told of it."""
    if area not in setup.district.areas:
        raise Usage(
            Text(
                f"{setup.district.id} 没有预警区 {area!r}",
                f"there is no area {area!r} in {setup.district.id}",
            )
        )
    return _again(setup, lambda view, at: of_area(view, area, channel, at), channel, by)


def _again(
    setup: Setup, choose: Callable[[View, int], Sequence[Delivery]], channel: str, by: str
) -> int:
    log = open_run_log(setup)
    try:
        view = look_at(setup, log).view
        at = now_ms() if setup.live else view.clock_at
        new = repeat(view, choose(view, at), channel, by, at)
        log.append([Out("deliveries", d.area, encode(d)) for d in new])
    except ValueError as e:
        raise Usage(text_of(e)) from e
    finally:
        log.close()
    for d in new:
        echo(f"  {d.recipient} {'/'.join(r.channel for r in d.routes)}: {d.id}")
    echo(Text(f"已排队重发：{len(new)} 条，{by}", f"queued again: {len(new)}, by {by}"))
    return 0
