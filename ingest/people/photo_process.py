"""The process that reads one photograph: bytes on standard input, the JPEG that is kept on standard
output. What it may take is bounded before anything of the file is looked at; see `ingest.people.photo`.

The measures of a picture are in its head, and judged before it is decoded. A JPEG is decoded at an
eighth or more of its size, a row at a time; PNG and WEBP only whole, so they may have less.
"""

import io
import sys

from ingest.people.photo import FORMATS, MAX_BYTES, NO_MEMORY, NO_PICTURE, TOO_LARGE
from stream.stages.process_limits import bound

MEMORY = 400_000_000  # bytes of address space, the interpreter and its libraries among them
CPU_S = 20
_PIXELS = {"JPEG": 64_000_000}
_WHOLE_PIXELS = 12_000_000  # a format that is decoded whole takes 4 bytes and more for each
_SIDE = 1600


def small(body: bytes) -> bytes | int:
    """The JPEG, or the exit that says why not."""
    from PIL import Image, ImageOps, UnidentifiedImageError  # after `bound`

    Image.MAX_IMAGE_PIXELS = None  # judged here, by format
    try:
        with Image.open(io.BytesIO(body), formats=FORMATS) as image:
            if image.width * image.height > _PIXELS.get(image.format or "", _WHOLE_PIXELS):
                sys.stderr.write(f"{image.width}x{image.height}")
                return TOO_LARGE
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
    return out.getvalue()


def main() -> int:
    bound(MEMORY, CPU_S)
    made = small(sys.stdin.buffer.read(MAX_BYTES + 1))
    if isinstance(made, int):
        return made
    sys.stdout.buffer.write(made)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
