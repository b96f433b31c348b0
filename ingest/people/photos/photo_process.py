"""The process that reads one photograph: bytes on standard input, the JPEG that is kept on standard
output. What it may take is bounded before anything of the file is looked at; see `ingest.people.photos.photo`.

The measures of a picture are in its head, and judged before it is decoded. A JPEG is decoded at an
eighth or more of its size, a row at a time; PNG and WEBP only whole, so they may have less.
"""

import contextlib
import io
import json
import sys
from typing import Any

from ingest.people.photos.photo import FORMATS, MAX_BYTES, NO_MEMORY, NO_PICTURE, TOO_LARGE
from stream.stages.process_limits import bound

MEMORY = 400_000_000  # bytes of address space, the interpreter and its libraries among them
CPU_S = 20
_PIXELS = {"JPEG": 64_000_000}
_WHOLE_PIXELS = 12_000_000  # a format that is decoded whole takes 4 bytes and more for each
_SIDE = 1600
_FLAT = 4.0  # of 255: a lens that is covered, a wall


def small(body: bytes) -> tuple[bytes, dict[str, object]] | int:
    """The JPEG and what the file says of its place and time, or the exit that says why not."""
    from PIL import Image, ImageOps, UnidentifiedImageError  # after `bound`

    Image.MAX_IMAGE_PIXELS = None  # judged here, by format
    try:
        with Image.open(io.BytesIO(body), formats=FORMATS) as image:
            if image.width * image.height > _PIXELS.get(image.format or "", _WHOLE_PIXELS):
                sys.stderr.write(f"{image.width}x{image.height}")
                return TOO_LARGE
            told = _told(image)
            image.draft("RGB", (_SIDE, _SIDE))  # a JPEG is read at the size that is kept
            image.load()
            plain = image if image.mode in ("RGB", "RGBA", "L") else image.convert("RGB")
            plain.thumbnail((_SIDE, _SIDE))
            upright = ImageOps.exif_transpose(plain).convert("RGB")
    except MemoryError:
        return NO_MEMORY
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, ArithmeticError):
        return NO_PICTURE
    bare = Image.new("RGB", upright.size)
    bare.paste(upright)
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=80)
    told["look"] = _look(bare)
    return out.getvalue(), told


def _told(image: Any) -> dict[str, object]:
    """taken: local time as the camera has it, with its offset if it says one, or UTC of its receiver; lon, lat:
    degrees. What cannot be read is not there: EXIF holds whatever somebody wrote into it."""
    found: dict[str, object] = {}
    with contextlib.suppress(Exception):
        exif = image.getexif()
        own, gps = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
        if taken := str(own.get(36867) or exif.get(306) or "")[:19]:
            found["taken"], found["offset"] = taken, str(own.get(36881) or "")[:6]
        if 29 in gps and 7 in gps:  # of the receiver, UTC
            h, m, s = (int(float(x)) for x in gps[7])
            found["taken"], found["offset"] = f"{gps[29][:10]} {h:02}:{m:02}:{s:02}", "+00:00"
        lat, lon = (_degrees(gps[n], gps[n - 1]) for n in (2, 4))
        if abs(lat) <= 90 and abs(lon) <= 180 and (lat or lon):
            found["lat"], found["lon"] = lat, lon
    return found


def _degrees(parts: Any, side: str) -> float:
    d, m, s = (float(x) for x in parts)
    return round((d + m / 60 + s / 3600) * (-1 if side in ("S", "W") else 1), 6)


def _look(image: Any) -> str:
    """dHash (see dispatch/proving/transfers.py), in hex; "": one brightness all over."""
    from PIL import ImageStat

    plain = image.convert("L").resize((9, 8))
    if ImageStat.Stat(plain).stddev[0] < _FLAT:
        return ""
    row = list(plain.tobytes())
    bits = [row[9 * y + x] > row[9 * y + x + 1] for y in range(8) for x in range(8)]
    return f"{sum(b << n for n, b in enumerate(bits)):016x}"


def main() -> int:
    bound(MEMORY, CPU_S)
    made = small(sys.stdin.buffer.read(MAX_BYTES + 1))
    if isinstance(made, int):
        return made
    sys.stderr.write("\n" + json.dumps(made[1]))
    sys.stdout.buffer.write(made[0])
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
