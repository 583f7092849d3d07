"""Write the generated parts of the pages: `python -m docs.generate`, or `--check` to list pages that are out of date.

A generated part stands between the comments `<!-- generated: NAME -->` and `<!-- end of generated -->`, so that a page
reads the same on a forge and in the built manual. NAME is a table of `docs/tables.py`, or `code FILE OBJECT`: the
source of a function, class or method (`Class.method`), or of the whole file where no object is named.
"""

import argparse
import ast
import os
import re
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

from docs.tables import all_tables

DOCS = Path(__file__).parent
ROOT = DOCS.parent
END = "<!-- end of generated -->"
PART = re.compile(rf"(<!-- generated: ([^\n]+?) -->\n)(.*?)({END})", re.DOTALL)


def pages() -> list[Path]:
    """All pages of the manual."""
    return sorted(DOCS.rglob("*.md"))


def generated(text: str, page: Path, tables: Mapping[str, str]) -> str:
    """Return the text of a page with all generated parts updated.

    Raises:
        ValueError: where a mark names an unknown table, file or object, or has no end.
    """
    if text.count("<!-- generated: ") != len(PART.findall(text)):
        raise ValueError(f"{page.name}: each `<!-- generated: NAME -->` needs its own `{END}`")
    return PART.sub(lambda found: f"{found[1]}\n{made(found[2], page, tables)}\n\n{found[4]}", text)


def made(name: str, page: Path, tables: Mapping[str, str]) -> str:
    """Return the content of a mark: a table, or code below a link to its file."""
    kind, *arguments = name.split()
    if kind == "code" and 1 <= len(arguments) <= 2:
        return code(page, *arguments)
    if name not in tables:
        raise ValueError(f"{page.name}: no table is called {name!r}; there are {', '.join(sorted(tables))}")
    return tables[name]


def code(page: Path, file: str, name: str = "") -> str:
    """Return the source of an object in a file, or of the whole file, as a code block below a link to the file."""
    path = ROOT / file
    if not path.is_file():
        raise ValueError(f"{page.name}: there is no file {file}")
    text = path.read_text(encoding="utf-8")
    link = Path(os.path.relpath(path, page.parent)).as_posix()
    head = f"[{file.removeprefix('src/')}]({link})" + (f", `{name}`:" if name else ":")
    body = textwrap.dedent(source_of(text, name, file) if name else text).strip("\n")
    return f"{head}\n\n```python\n{body}\n```"


def source_of(text: str, name: str, file: str) -> str:
    """Return the lines of a function, class or method, its decorators included."""
    nodes: list[ast.stmt] = ast.parse(text).body
    for part in name.split("."):
        defined = [n for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name == part]
        if not defined:
            raise ValueError(f"{file} defines no {name}")
        nodes, node = defined[0].body, defined[0]
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return "\n".join(text.splitlines()[first - 1 : node.end_lineno])


def by_hand(text: str) -> str:
    """Return a page without its generated parts; line numbers do not change."""
    return PART.sub(lambda found: "\n" * found[0].count("\n"), text)


def stale(tables: Mapping[str, str]) -> dict[Path, str]:
    """Return the pages whose generated parts are out of date, each with the text that it should have."""
    texts = {page: page.read_text(encoding="utf-8") for page in pages()}
    wanted = {page: generated(text, page, tables) for page, text in texts.items()}
    return {page: text for page, text in wanted.items() if text != texts[page]}


def main() -> None:
    """Write all pages that are out of date; with `--check`, exit with status 1 where there is one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--check", action="store_true", help="do not write; exit with status 1 if a page is out of date"
    )
    check = parser.parse_args().check
    found = stale(all_tables())
    for page, text in found.items():
        sys.stdout.write(f"{page.relative_to(ROOT)}\n")
        if not check:
            page.write_text(text, encoding="utf-8")
    if check and found:
        sys.exit("these pages are out of date: run `python -m docs.generate`")


if __name__ == "__main__":
    main()
