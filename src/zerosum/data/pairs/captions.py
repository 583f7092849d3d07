"""Image files with captions: in a table, or in a text file beside each image."""

__all__ = ["Captioned"]

import csv
import hashlib
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from zerosum._paths import PATH, tidy_paths
from zerosum.conditions.text import Text, words_of
from zerosum.data._paths import printable
from zerosum.data.conditions import Conditions
from zerosum.data.dataset import Dataset
from zerosum.data.held_out import check_part, part_of
from zerosum.data.sources._files import Files, counted, image_files, passed_over
from zerosum.data.sources._tables import beside, home, lines, resolved, table_in
from zerosum.data.sources.folders import Images

_TABLE = "captions.csv"
_HEADER = ["file", "caption"]
_LISTED = 3  # words left out that a note names


@dataclass(frozen=True)
class Captioned:
    """Images in a folder or zip, each under its caption: from `captions.csv`, or from a text file beside each image.

    The table has the header `file,caption` and a row for each image, with its path relative to the table. Without a
    table, the caption of `a/1.jpg` is the text of `a/1.txt`, in UTF-8. Of a caption the first 64 words are used, of all
    words the 16,384 most frequent; a note says what is left out. Subfolders are no classes.

    Args:
        folder: the folder or `.zip`.
        size: height and width, or (H, W), to which images are resized and cropped, as in `Images`.
        part: "train", "test" or "all": one image in ten is held out by its name.
    """

    folder: str = field(metadata=PATH)
    size: int | tuple[int, int] | None = None
    part: str = "train"

    def __post_init__(self) -> None:
        tidy_paths(self)
        check_part(self, self.part)

    def open(self) -> Dataset:
        """Open the images and read all captions; raises `ValueError` for an image without one."""
        images = Images(self.folder, self.size).open()
        files = image_files(self.folder)
        names = [images.named(index) for index in range(len(images))]
        table = table_in(files, _TABLE)
        captions = _of_files(files, names) if table is None else _of_table(files, table)
        missing = [name for name in names if name not in captions]
        if missing:
            where = "no text file beside it" if table is None else f"no row in {printable(files.path / table)}"
            raise ValueError(
                f"{len(missing):,} of {len(names):,} images have no caption, such as {printable(missing[0])}, which "
                f"has {where}: add captions, or remove these images"
            )
        texts = [captions[name] for name in names]
        kind = Text.of(texts)
        kept, notes = _within(kind, texts)
        digest = hashlib.sha256("\0".join(texts).encode(errors="surrogateescape")).hexdigest()
        left = tuple(note for note in images.notes if note not in beside(files, None).notes)
        content, without, text = images.content, images.content_without, f"captions {digest}"
        found = replace(
            images,
            conditions=Conditions(kind, kind.tokens(kept)),
            notes=left + notes + _others(files, table, names),
            content=None if content is None else lambda: f"{content()} {text}",
            content_without=None if without is None else lambda names: f"{without(names)} {text}",
        )
        return part_of(found, self.part)


def _of_table(files: Files, table: str) -> dict[str, str]:
    """The caption of each image that a table names; raises `ValueError` that names the line."""
    path = printable(files.path / table)
    homes, there = (posixpath.dirname(table), posixpath.join("", *home(files.names))), frozenset(files.names)
    found: dict[str, str] = {}
    try:
        rows = lines(files.read(table).decode("utf-8-sig"))
        if [cell.strip().lower() for cell in next(rows, (1, [""]))[1]] != _HEADER:
            raise ValueError("should begin with the header file,caption")
        for line, row in rows:
            if len(row) != len(_HEADER):
                raise ValueError(f"line {line} has {len(row)} cells, not a file and a caption: quote one with commas")
            name = resolved(row[0], homes, there)
            if name is None or name in found:
                raise ValueError(f"line {line} names {row[0]!r:.80}, which is no image, or has a caption already")
            found[name] = _caption(f"line {line}", row[1])
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text: save it as UTF-8") from error
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{path} {error}") from error
    return found


def _of_files(files: Files, names: Sequence[str]) -> dict[str, str]:
    """The caption of each image that has a text file beside it."""
    texts, found = {*files.others}, {}
    for name in names:
        text = _text_of(name)
        if text in texts:
            try:
                found[name] = _caption("the file", files.read(text).decode("utf-8-sig"))
            except UnicodeDecodeError as error:
                raise ValueError(f"{printable(files.path / text)} is not UTF-8 text: save it as UTF-8") from error
            except ValueError as error:
                raise ValueError(f"{printable(files.path / text)}: {error}") from error
    return found


def _caption(where: str, text: str) -> str:
    words = words_of(text)
    if not words:
        raise ValueError(f"{where} has a caption without words: {text!a:.80}")
    return " ".join(words)


def _text_of(name: str) -> str:
    return f"{name.rpartition('.')[0]}.txt"


def _within(kind: Text, captions: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Captions within the limits of their kind, and notes on what is left out."""
    known, rare, notes = {*kind.words}, dict[str, None](), list[str]()
    lists = [caption.split() for caption in captions]
    for words in lists:
        rare |= dict.fromkeys(word for word in words if word not in known)
    long = sum(len(words) > kind.length for words in lists)
    if long:
        notes.append(f"{long:,} captions have more than {kind.length} words, of which the first are used")
    if rare:
        listed = ", ".join(map(printable, [*rare][:_LISTED]))
        notes.append(f"{len(rare):,} rare words of the captions are left out, such as {listed}")
    kept = [" ".join([word for word in words if word in known][: kind.length]) for words in lists]
    if not all(kept):
        raise ValueError(f"a caption has rare words alone, which are left out: {captions[kept.index('')]!a:.80}")
    return kept, tuple(notes)


def _others(files: Files, table: str | None, names: Sequence[str]) -> tuple[str, ...]:
    used: Mapping[str, None] = dict.fromkeys([_text_of(name) for name in names] if table is None else [table])
    others = [name for name in files.others if name not in used]
    notes = [f"ignored {counted(others)} beside the images and captions"] if others else []
    return (*notes, *([f"passed over {passed_over(files.written)}"] if files.written else []))
