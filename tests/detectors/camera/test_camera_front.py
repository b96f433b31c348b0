"""A surge front: followed down the channel; light, rain and noise alone never make one."""

import numpy as np
import pytest

from simulators.views.gully import Look, picture
from tests.support.cameras import GSD, HIGH, Eye, readings, usual

FRONT = frozenset({"front_speed"})
QUIET = Look(speed=40)


def surge(eye: Eye, at: float, px_s: float, dt_s: float = 1.0, **more: object) -> list[float]:
    """The front comes down the whole picture; the speeds read, m/s."""
    steps = np.arange(0, HIGH / px_s, dt_s)
    seen = [eye.look(at + s, Look(speed=40, front=px_s * s, **more)) for s in steps]  # type: ignore[arg-type]
    assert not any(w.sight for w in seen)
    return [c / 1000 for _, c in readings(seen, "front_speed")]


@pytest.mark.parametrize(("px_s", "dt_s"), [(20, 2.0), (50, 1.0), (90, 0.5), (3, 20.0)])
@pytest.mark.parametrize("base", [{}, {"night": True}, {"rain": 0.8}, {"fog": 0.3}])
def test_a_front_is_told_with_its_speed(px_s: float, dt_s: float, base: dict[str, float]) -> None:
    eye = Eye(needs=FRONT)
    at = usual(eye, 5, Look(speed=40, **base))
    found = surge(eye, at, px_s, dt_s, **base)
    assert len(found) >= 2
    # the first rests on three pictures
    assert found[-1] == pytest.approx(px_s * GSD, rel=0.2)
    assert np.median(found) == pytest.approx(px_s * GSD, rel=0.25)


def test_before_it_is_usual_nothing_is_told() -> None:
    assert surge(Eye(needs=FRONT), 0.0, 50) == []


def test_a_front_that_stands_is_none() -> None:
    eye = Eye(needs=FRONT)
    at = usual(eye, 5)
    seen = [eye.look(at + n, Look(speed=40, front=150.0)) for n in range(8)]
    assert readings(seen, "front_speed") == []


def test_a_picture_that_is_missed_breaks_no_front() -> None:
    eye = Eye(needs=FRONT)
    at = usual(eye, 5)
    seen = []
    for n in range(8):
        look = Look(speed=40, front=45.0 * n, fog=0.85 if n == 4 else 0.0)
        seen.append(eye.look(at + n, look))
    assert seen[4].sight == "fogged" and seen[4].readings == []
    found = [c / 1000 for _, c in readings(seen, "front_speed")]
    assert found[-1] == pytest.approx(45 * GSD, rel=0.2)


def test_a_late_picture_completes_a_front() -> None:
    """Three pictures show it; the middle one comes last."""
    eye = Eye(needs=FRONT)
    at = usual(eye, 5)
    looks = {n: Look(speed=40, front=80.0 * n) for n in (1, 2, 3)}
    first = [eye.look(at + n, looks[n]) for n in (1, 3)]
    assert readings(first, "front_speed") == []
    late = eye.look(at + 2, looks[2])
    assert [t for t, _ in readings([late], "front_speed")] == [round((at + 3) * 1000)]


# --- what is no front

SEQUENCES = 60  # of the first 300, as of these, none made a front
WORLDS = 10


def no_front(rng: np.random.Generator, kind: int, s: float) -> Look:
    """A second `s` of something that is no surge."""
    p = rng.uniform(0, 1, 6)
    speed = 20 + 60 * p[0]
    if kind == 0:  # exposure hunts
        return Look(speed=speed, light=float(1 + 0.5 * np.sin(s * (0.3 + p[1]) + 6 * p[2])))
    if kind == 1:  # a cloud's shadow comes down the channel, at some speed
        return Look(speed=speed, shadow=float((20 + 90 * p[1]) * s - 60 * p[2]), deep=0.75)
    if kind == 2:  # a shower begins
        return Look(speed=speed, rain=float(min(1.0, s * p[1] / 3)), noise=2 + 4 * p[2])
    if kind == 3:  # fog comes in, the sun goes down
        return Look(speed=speed, fog=float(0.5 * p[1] * s / 8), warm=float(p[2]), light=0.6)
    if kind == 4:  # the water rises, in wind
        shake = (round(6 * p[2] * np.sin(3 * s)), round(5 * p[3] * np.cos(2 * s)))
        return Look(speed=speed, stage=float(0.4 + 0.1 * p[1] * s), shake=shake)
    shadow = float((30 + 60 * p[1]) * s)  # all at once, and the sensor is poor
    return Look(
        speed=speed, shadow=shadow, deep=0.7, rain=float(p[2] / 2), light=1.1, noise=2 + 4 * p[3]
    )


def test_light_rain_shake_and_noise_make_no_front() -> None:
    """Seeded sequences of eight pictures a second apart, after four usual ones."""
    import msgspec

    worlds = []
    for seed in range(WORLDS):
        eye = Eye(needs=FRONT)
        usual(eye, 4, QUIET, seed)
        worlds.append((msgspec.msgpack.encode(eye.state), dict(eye.store)))
    false = []
    for n in sorted(range(SEQUENCES), key=lambda n: n % WORLDS):  # what a world is is made once
        seed, kind = n % WORLDS, n // WORLDS % 6
        eye = Eye(needs=FRONT)
        eye.state = msgspec.msgpack.decode(worlds[seed][0], type=type(eye.state))
        eye.store = dict(worlds[seed][1])
        seen = []
        for s in range(6):
            look = no_front(np.random.default_rng([n, 11]), kind, float(s))
            quality = int(np.random.default_rng([n, s]).integers(45, 95))
            seen.append(eye.show(240.0 + s, picture(seed, 240.0 + s, look, 640, quality)))
        if readings(seen, "front_speed"):
            false.append((n, kind))
    print(f"\nfalse fronts: {len(false)} of {SEQUENCES} sequences {false}")
    assert false == []


def test_a_blind_camera_sees_no_front() -> None:
    for blind in ({"fog": 0.85}, {"light": 0.1}, {"blur": 3.0}, {"shake": (40, 20)}):
        eye = Eye(needs=FRONT)
        at = usual(eye, 5)
        seen = [eye.look(at + n, Look(speed=40, front=45.0 * n, **blind)) for n in range(8)]  # type: ignore[arg-type]
        assert all(w.sight and not w.readings and not w.look.on for w in seen)
