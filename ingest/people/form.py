"""The form of the page, read as it comes: the words are known before the picture behind them is, so
that a picture that never ends costs nobody their words. Pure.
"""

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

_FIELD_BYTES = 4096
_FIELDS = 16


class FormWrong(Exception):
    """It is no such form."""


class Form:
    """kind: the request's Content-Type. most: bytes of a picture; of a longer one only its first byte
    too many is kept, by which it can be refused. Raises FormWrong."""

    def __init__(self, kind: str, most: int) -> None:
        boundary = parse_options_header(kind)[1].get(b"boundary", b"")
        if not boundary:
            raise FormWrong("boundary")
        self.fields: dict[str, str] = {}
        self.photo = bytearray()
        self.whole = False  # it came to its end
        self.wanted = True  # the picture is kept
        self._most, self._seen = most, False
        self._name = self._file = ""
        self._header, self._value = bytearray(), bytearray()
        self._field = bytearray()
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": lambda d, a, b: self._header.extend(d[a:b]),
                    "on_header_value": lambda d, a, b: self._value.extend(d[a:b]),
                    "on_header_end": self._told,
                    "on_part_data": self._data,
                    "on_part_end": self._end,
                    "on_end": self._over,
                },
            )
        except FormParserError as e:
            raise FormWrong(str(e)) from e

    def feed(self, chunk: bytes) -> None:
        """More of it. Raises FormWrong."""
        try:
            self._parser.write(chunk)
        except FormParserError as e:
            raise FormWrong(str(e)) from e

    def said(self) -> bool:
        """Whether the words are all there: at its end, and where the picture begins, if nothing that
        changes their meaning can come behind it. The page asks for the picture last."""
        behind = "what" in self.fields and (
            self.fields["what"] not in ("moved", "staying") or "people" in self.fields
        )
        return self.whole or (bool(self._file) and behind)

    def pictured(self) -> bool:
        """Whether a picture came, kept or not."""
        return self._seen

    def _begin(self) -> None:
        self._name = self._file = ""
        self._field.clear()
        if len(self.fields) >= _FIELDS:
            raise FormWrong("fields")

    def _told(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            options = parse_options_header(bytes(self._value))[1]
            self._name = options.get(b"name", b"").decode("utf-8", "replace")[:64]
            if b"filename" in options:
                self._file = self._name or "?"
        self._header.clear()
        self._value.clear()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if not self._file:
            self._field += data[start:end]
            if len(self._field) > _FIELD_BYTES:
                raise FormWrong(self._name)
        elif self._file == "photo":
            self._seen = True
            if not self.wanted:
                return
            self.photo += data[start : min(end, start + self._most + 1 - len(self.photo))]

    def _end(self) -> None:
        if not self._file and self._name:
            self.fields[self._name] = self._field.decode("utf-8", "replace")

    def _over(self) -> None:
        self.whole = True
