"""The lines of a text file."""

__all__ = ["Lines"]

from dataclasses import dataclass, field
from pathlib import Path

from zerosum._checks import require
from zerosum._paths import PATH, tidy_paths
from zerosum.data._paths import existing
from zerosum.data.dataset import Dataset
from zerosum.data.texts import text_dataset

_LONGEST = 1_000


@dataclass(frozen=True)
class Lines:
    """The lines of a text file in UTF-8, of printable characters of Latin-1; empty lines are passed over.

    Args:
        path: the file.
        length: largest number of characters; longer lines are passed over. None for the longest line's.
    """

    path: str = field(metadata=PATH)
    length: int | None = None

    def __post_init__(self) -> None:
        tidy_paths(self)
        require(self, self.length is None or 1 <= self.length <= _LONGEST, f"1 <= length <= {_LONGEST:,}")

    @staticmethod
    def at(path: Path) -> "Lines | None":
        """The source for a `.txt` file; None for any other path."""
        return Lines(str(path)) if path.is_file() and path.suffix.lower() == ".txt" else None

    def open(self) -> Dataset:
        """Read the lines; raises `ValueError` for other characters, and where no line is left."""
        path = existing(self.path)
        try:
            lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is not a text in UTF-8: {error}") from None
        lines = [line for line in lines if line]
        length = self.length or max(map(len, lines), default=1)
        kept = [line for line in lines if len(line) <= length]
        if not kept:
            raise ValueError(f"{path} has no line of 1 to {length} characters")
        if length > _LONGEST:
            raise ValueError(f"{path} has lines of up to {length:,} characters: set length, at most {_LONGEST:,}")
        notes = (f"lines of more than {length} characters that are passed over: {len(lines) - len(kept):,}",)
        return text_dataset(path.name, kept, length, notes=notes if len(kept) < len(lines) else ())
