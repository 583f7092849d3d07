"""Pages of which a program writes a part, between two marks."""

from pathlib import Path


def write(path: Path, name: str, bench: str, text: str) -> None:
    """Write a text between the marks of that name; raises `ValueError` if the page lacks them.

    The marks are the lines `<!-- NAME: written by BENCH -->` and `<!-- NAME: as far as here -->`.
    """
    begin, end = f"<!-- {name}: written by {bench} -->", f"<!-- {name}: as far as here -->"
    before, found, rest = path.read_text(encoding="utf-8").partition(begin)
    _, found_too, after = rest.partition(end)
    if not found or not found_too:
        raise ValueError(f"{path} should hold the lines {begin} and {end}, between which the results are written")
    path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")
