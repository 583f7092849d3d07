"""Image files in a folder or a zip, by name; a zip is read in place and never unpacked."""

import hashlib
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import IO

from zerosum._outputs import MARK, RECIPE, RECIPE_START, is_output
from zerosum.data._paths import existing, printable
from zerosum.data.sources._decode import MOST_BYTES, SUFFIXES

_CLUTTER = ("__macosx", "thumbs.db", "desktop.ini")
_MOST_RATIO = 200
_SMALL, _PRINTED = 1 << 20, 200  # bytes of a file allowed at any compression ratio; printed characters of a name
_LOCAL_HEADER = 30  # bytes before a file in a zip, at least
_MOST_VISITS, _DEEPEST = 100, 100  # times that links lead to one folder; depth of nested folders
_READ_WHOLE, _PART = 256 << 20, 4 << 10  # bytes of a folder hashed whole; bytes hashed per file of a larger one
_UNREADABLE = (
    *(OSError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error),
    *(OverflowError, IndexError, struct.error, UnicodeError),
)


@dataclass(frozen=True, eq=False)
class Files:
    """The image files of a folder or zip, by name within it, and its other files.

    `written` are the names of run folders, folders of samples and image sheets in it that zerosum wrote, which are
    passed over.
    """

    path: Path
    names: tuple[str, ...]
    others: tuple[str, ...]
    stream: Callable[[str], IO[bytes]]
    hashes: Callable[[tuple[str, ...]], Iterator[str]]
    written: tuple[str, ...] = ()

    def without(self, sheets: Sequence[str]) -> "Files":
        """The files without image sheets that zerosum wrote; raises `ValueError` if nothing is left."""
        if not sheets:
            return self
        left = tuple(name for name in self.names if name not in {*sheets})
        written = (*self.written, *sheets)
        if not left:
            raise ValueError(f"{self.path} has no images but {passed_over(written)}: name a folder of images")
        return replace(self, names=left, written=written)

    def content(self, without: Collection[str] = ()) -> str:
        """A hash of the images; of those in `without`, only the names count."""
        digest = hashlib.sha256()
        for name, found in zip(self.names, self.hashes(self.names), strict=True):
            mark = "" if name in without else found
            digest.update(f"{name}\0{mark}\0".encode(errors="surrogateescape"))
        return digest.hexdigest()

    def read(self, name: str) -> bytes:
        """The bytes of a file; raises `ValueError` as `open` does, and when it is larger than it declares."""
        with self.open(name) as file:
            raw = file.read(MOST_BYTES + 1)  # limited, so that a zip bomb is not unpacked
        _refuse_large(len(raw))
        return raw

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file for reading; raises `ValueError` with the reason when it cannot be read or is unsafe."""
        try:
            with self.stream(name) as file:
                yield file
        except FileNotFoundError as error:
            raise ValueError("no longer exists, or is a broken link") from error
        except _UNREADABLE as error:
            raise ValueError(f"cannot be read ({printable(error)})") from error


def image_files(path: str | Path, suffixes: tuple[str, ...] = SUFFIXES) -> Files:
    """List the image files of a folder (links followed) or of a zip, sorted, without hidden files.

    Images are files of the given suffixes. Run folders and folders of generated samples within it are passed over.

    Raises `ValueError` without image files, when the path is neither, and when a zip is damaged or unsafe.
    """
    found, written = existing(path), list[str]()
    if found.is_dir():
        names, stream, hashes = _listed(found, written), _from_folder(found), _hashes_in_folder(found)
    elif found.suffix.lower() == ".zip":
        archive, names = _opened(found)
        stream, hashes = _from_zip(archive), _hashes_in_zip(archive)
        written += _written_in(names, stream)
        names = [name for name in names if not any(name.startswith(f"{folder}/") for folder in written)]
    else:
        raise ValueError(f"{found} should be a folder or a .zip of images, but is a single file")
    visible = [name for name in names if not _hidden(name)]
    images = tuple(name for name in visible if name.lower().endswith(suffixes))
    others = tuple(name for name in visible if not name.lower().endswith(suffixes))
    if not images:
        rest = [count(names) for count, names in ((passed_over, written), (counted, others)) if names]
        instead = f": it has {' and '.join(rest)}" if rest else ": it is empty"
        raise ValueError(f"{found} has no images ({', '.join(suffixes)}){instead}")
    return Files(found, images, others, stream, hashes, tuple(written))


def passed_over(written: Sequence[str]) -> str:
    """The number of outputs of zerosum that are passed over, as text."""
    more = "s" if len(written) > 1 else ""
    return f"{len(written)} output{more} of zerosum ({printable(written[0])}{', ...' * bool(more)})"


def counted(others: Sequence[str]) -> str:
    """The number of files of each suffix, as text."""
    counts = Counter(printable(PurePosixPath(name).suffix.lower()) or "no suffix" for name in others)
    parts = [f"{count} x {suffix}" for suffix, count in sorted(counts.items())]
    return f"{len(others)} other file{'s' if len(others) > 1 else ''} ({', '.join(parts)})"


def _hidden(name: str) -> bool:
    return any(part.startswith(".") or part.lower() in _CLUTTER for part in name.split("/"))


def _listed(folder: Path, written: list[str]) -> list[str]:
    try:
        return sorted(_walk(folder, written))
    except OSError as error:
        raise ValueError(f"{folder} cannot be read ({printable(error)})") from error


def _walk(
    folder: Path,
    written: list[str],
    within: str = "",
    above: frozenset[Path] = frozenset(),
    visits: Counter[Path] | None = None,
) -> Iterator[str]:
    """Yield the names of all files below a folder; links to a parent folder are not followed.

    Outputs of zerosum are added to `written` instead.
    """
    visits = Counter() if visits is None else visits
    real = folder.resolve()
    if real in above:
        return
    visits[real] += 1
    if visits[real] > _MOST_VISITS or len(above) > _DEEPEST:
        why = f"links lead to it more than {_MOST_VISITS} times" if len(above) <= _DEEPEST else "it is nested too deep"
        raise ValueError(f"{printable(folder)} cannot be listed: {why}")
    for child in folder.iterdir():
        if child.is_dir() and is_output(child):
            written.append(within + child.name)
        elif child.is_dir():
            yield from _walk(child, written, f"{within}{child.name}/", above | {real}, visits)
        else:
            yield within + child.name


def _from_folder(folder: Path) -> Callable[[str], IO[bytes]]:
    def stream(name: str) -> IO[bytes]:
        path = folder / name
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("is not a regular file")
        _refuse_large(status.st_size)
        return path.open("rb")

    return stream


def _hashes_in_folder(folder: Path) -> Callable[[tuple[str, ...]], Iterator[str]]:
    """Hashes of files by all their bytes, or in a large folder by their sizes and a part of each."""

    def hashes(names: tuple[str, ...]) -> Iterator[str]:
        sizes = [_size(folder / name) for name in names]
        whole = sum(sizes) <= _READ_WHOLE
        for name, size in zip(names, sizes, strict=True):
            part = b""
            if 0 <= size <= MOST_BYTES:
                with suppress(OSError), (folder / name).open("rb") as file:
                    file.seek(0 if whole else max(0, size - _PART) // 2)
                    part = file.read(MOST_BYTES if whole else _PART)
            yield f"{size} {hashlib.sha256(part).hexdigest()}"

    return hashes


def _size(path: Path) -> int:
    """The size of a regular file, else -1: reading a pipe could block."""
    try:
        status = path.stat()
    except OSError:
        return -1
    return status.st_size if stat.S_ISREG(status.st_mode) else -1


def _hashes_in_zip(archive: zipfile.ZipFile) -> Callable[[tuple[str, ...]], Iterator[str]]:
    """Sizes and checksums of files as stored in the zip."""

    def hashes(names: tuple[str, ...]) -> Iterator[str]:
        for member in map(archive.getinfo, names):
            yield f"{member.file_size} {member.CRC}"

    return hashes


def _opened(path: Path) -> tuple[zipfile.ZipFile, list[str]]:
    """Open a zip and list its files, sorted; paths that leave it, links and overlaps raise `ValueError`."""
    try:
        archive = zipfile.ZipFile(path)
    except _UNREADABLE as error:
        raise ValueError(f"{path} is damaged or not a zip file ({printable(error)})") from error
    members = archive.infolist()
    for member in members:
        parts = member.filename.replace("\\", "/").split("/")
        named = f"{member.filename!r:.{_PRINTED}}"
        if ".." in parts or not parts[0] or ":" in parts[0]:
            raise ValueError(f"{path} contains the path {named}, which leaves the archive: zip the files again")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise ValueError(f"{path} contains the link {named}: zip the files again without links")
    name, times = Counter(member.filename for member in members).most_common(1)[0] if members else ("", 1)
    if times > 1:
        raise ValueError(f"{path} contains {name!r:.{_PRINTED}} {times} times: zip the files again")
    members.sort(key=lambda member: member.header_offset)
    for one, following in pairwise(members):
        if one.header_offset + _LOCAL_HEADER + one.compress_size > following.header_offset:
            raise ValueError(f"{path} has overlapping files, such as {one.filename!r:.{_PRINTED}}: zip the files again")
    return archive, sorted(member.filename for member in members if not member.is_dir())


def _written_in(names: Sequence[str], stream: Callable[[str], IO[bytes]]) -> list[str]:
    """The outermost folders of a zip that zerosum wrote."""
    found: list[str] = []
    for name in names:
        folder, _, file = name.rpartition("/")
        if not folder or file not in (MARK, RECIPE) or any(f"{folder}/".startswith(f"{one}/") for one in found):
            continue
        if file == MARK or _begins_recipe(name, stream):
            found.append(folder)
    return found


def _begins_recipe(name: str, stream: Callable[[str], IO[bytes]]) -> bool:
    try:
        with stream(name) as file:
            return file.read(len(RECIPE_START)) == RECIPE_START
    except (ValueError, *_UNREADABLE):
        return False


def _from_zip(archive: zipfile.ZipFile) -> Callable[[str], IO[bytes]]:
    def stream(name: str) -> IO[bytes]:
        member = archive.getinfo(name)
        if member.flag_bits & 1:
            raise ValueError("is encrypted")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("uses a compression method other than deflate")
        _refuse_large(member.file_size)
        if member.file_size > max(_SMALL, _MOST_RATIO * member.compress_size):
            raise ValueError(f"has a compression ratio above {_MOST_RATIO}, as no image has")
        return archive.open(member)

    return stream


def _refuse_large(size: int) -> None:
    if size > MOST_BYTES:
        raise ValueError(f"is larger than {MOST_BYTES >> 20} MiB")
