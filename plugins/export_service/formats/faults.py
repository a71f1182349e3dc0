"""What is wrong with a file that is to be imported."""

from __future__ import annotations


class FormatError(Exception):
    """A file is not in the format that it is said to be in.

    ``line`` counts from 1; ``file`` is the name within an archive; ``field`` is the field of the memory. The text of
    the error has all of them, and what would be right.
    """

    def __init__(
        self, message: str, *, line: int | None = None, file: str | None = None, field: str | None = None
    ) -> None:
        self.line = line
        self.file = file
        self.field = field
        places = (file, None if line is None else f"line {line}", field)
        super().__init__(": ".join([place for place in places if place] + [message]))


class FieldFault(Exception):
    """A value is not one that the field ``field`` can have; who knows the place raises it as a FormatError."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        self.message = message
        super().__init__(f"{field}: {message}")
