"""How well a staff is read by camera: drawn views whose stage is known, hour after hour of one weather.
It prints figures and judges nothing; of pictures of a river of one's own only a district can know more.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from config.language import Text
from config.records.district import Camera
from detectors.camera.picture import decode, missing
from detectors.camera.scene import scene_of
from detectors.camera.waterline import water_line
from simulators.views.staff_view import Weather, board_of, picture

STAFF = ((270.0, 285.0, 0.0), (270.0, 30.0, 3.0))
CAMERA = Camera(
    id="bench",
    width=400,
    height=300,
    roi=((20, 120), (250, 120), (250, 299), (20, 299)),
    staff=STAFF,
)
# what there is to see, and its weather
VIEWS: dict[str, tuple[Text, Weather]] = {
    "day": (Text("晴天，清水有倒影", "day, clear water that mirrors"), Weather()),
    "mud": (Text("浑水", "mud"), Weather(turbid=1.0)),
    "bright": (Text("过曝", "over-exposed"), Weather(light=1.5)),
    "dusk": (Text("黄昏，墙湿", "dusk, a wet wall"), Weather(light=0.35, wet_m=0.3)),
    "night": (Text("夜间红外", "night, infrared"), Weather(night=True, noise=5.0)),
    "rain": (Text("大雨，镜头干", "heavy rain, dry lens"), Weather(rain=1.0, turbid=0.6)),
    "lens": (Text("雨，镜头一成有水滴", "rain, drops on a tenth of the lens"),
             Weather(rain=0.6, turbid=0.6, drops=0.1)),
    "wet lens": (Text("雨，镜头四分之一有水滴", "rain, drops on a quarter of the lens"),
                 Weather(rain=1.0, turbid=0.6, drops=0.25)),
    "wet night": (Text("夜雨，镜头一成半有水滴", "rain at night, drops on a seventh of the lens"),
                  Weather(night=True, noise=6.0, rain=1.0, drops=0.15)),
    "waves": (Text("浪 ±8 cm", "waves of ± 8 cm"), Weather(wave_m=0.08, turbid=0.5)),
    "debris": (Text("浑水，水尺挂树枝", "mud, branches on the staff"),
               Weather(turbid=1.0, wave_m=0.03, debris=0.6)),
    "fog": (Text("雾", "fog"), Weather(fog=0.5)),
}  # fmt: skip
STEADY_M, LIMIT_M = 1.3, 1.5  # the water of the false alarms, and the limit that it stays under
_TAKE, _SPAN = 3, 6  # the lowest of three within six minutes, a picture a minute


class Row(NamedTuple):
    """Of one weather. told: share of the pictures of which a stage was told. errors in m: median,
    root mean square and 95th percentile of the absolute. high: false alarms an hour of single pictures;
    lowest: of the lowest of three."""

    told: float
    bias: float
    rmse: float
    p95: float
    high: float
    lowest: float


def row(name: str, pictures: int) -> Row:
    """`pictures` over the staff's whole length, and as many minutes of steady water."""
    weather = VIEWS[name][1]
    truths = 0.15 + 2.7 * ((np.arange(pictures) * 0.618) % 1)
    errors = [
        found - t
        for n, t in enumerate(truths)
        if (found := _read(n % 5, 337.7 * n, float(t), weather)) is not None
    ]
    steady = [_read(1000, 60.0 * n, STEADY_M, weather) for n in range(pictures)]
    over = [s is not None and s >= LIMIT_M for s in steady]
    agreed = [_lowest(steady[max(0, n - _SPAN + 1) : n + 1]) for n in range(pictures)]
    e = np.array(errors or [np.nan])
    hours = pictures / 60
    return Row(
        len(errors) / pictures,
        float(np.median(e)),
        float(np.sqrt((e**2).mean())),
        float(np.quantile(np.abs(e), 0.95)),
        _begins(over) / hours,
        _begins(agreed) / hours,
    )


def _read(seed: int, at_s: float, stage: float, weather: Weather) -> float | None:
    seen = decode(picture(seed, at_s, stage, weather, board_of(STAFF)))
    if isinstance(seen, str):
        return None
    staff = scene_of(CAMERA, seen).staff
    line = water_line(staff, seen) if staff is not None else None
    return None if line is None else line.stage


def _lowest(last: list[float | None]) -> bool:
    """Whether the rule `water_staff` of Yanqing would be at its limit."""
    heard = [s for s in last if s is not None]
    return len(heard) >= _TAKE and min(heard) >= LIMIT_M


def _begins(flags: list[bool]) -> int:
    return sum(now and not before for before, now in zip([False, *flags], flags, strict=False))


def lines(pictures: int = 60) -> Iterator[Text]:
    """For a person."""
    if missing():
        return
    for name, (words, _) in VIEWS.items():
        r = row(name, pictures)
        yield (Text("水尺，", "staff, ") + words) + Text(
            f"：读出 {r.told:.0%}，偏 {100 * r.bias:+.1f} cm，均方根 {100 * r.rmse:.1f} cm，p95 "
            f"{100 * r.p95:.1f} cm；误报每小时 单张 {r.high:.1f}，三张最低 {r.lowest:.2f}",
            f": told of {r.told:.0%}, bias {100 * r.bias:+.1f} cm, rms {100 * r.rmse:.1f} cm, p95 "
            f"{100 * r.p95:.1f} cm; false alarms an hour: single pictures {r.high:.1f}, the lowest of "
            f"three {r.lowest:.2f}",
        )
