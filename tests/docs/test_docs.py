"""The pages of the manual: their Python runs, their commands parse, their parts can be built."""

import doctest
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import typer.main
from docs import tables
from docs.generate import by_hand

from zerosum.cli import app
from zerosum.data.sources.folders import Images
from zerosum.recipes.evaluation import Evaluation
from zerosum.recipes.named_recipes import named
from zerosum.recipes.reader import read, vocabulary
from zerosum.recipes.settings import with_setting
from zerosum.recipes.using import is_file

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
WRITTEN = {page: by_hand(page.read_text(encoding="utf-8")) for page in PAGES}  # lines keep their numbers
WITH_PYTHON = [page for page in PAGES if "```python" in WRITTEN[page]]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))


def blocks(page, language):
    """The lines of each fenced block of a language, with the number of its first line."""
    text = WRITTEN[page]
    for found in re.finditer(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield text[: found.start(1)].count("\n"), found[1].splitlines()


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.stem)
def test_the_python_of_a_page_runs_with_the_output_on_the_page(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [""] * WRITTEN[page].count("\n")  # the prose, so that failures name the page's lines
    for first, block in blocks(page, "python"):
        assert block[0].startswith(">>>"), f"{page.name}, line {first + 1}: Python that nothing runs"
        lines[first : first + len(block)] = block
    examples = doctest.DocTestParser().get_doctest("\n".join(lines), {"__name__": "page"}, page.name, str(page), 0)
    failures = []
    doctest.DocTestRunner(verbose=False).run(examples, out=failures.append)
    assert examples.examples and not failures, "".join(failures)


@every_page
def test_the_commands_of_a_page_parse(page):
    for line in (line for _, block in blocks(page, "console") for line in block):
        prompt, program, *arguments = shlex.split(line)
        assert prompt == "$" and program in ("zerosum", "make"), line
        if program == "zerosum":
            verb = typer.main.get_command(app)
            while arguments and arguments[0] in getattr(verb, "commands", {}):
                verb = verb.commands[arguments.pop(0)]
            options = verb.make_context(verb.name, arguments).params
            named_here = options.get("recipe", "")
            if named_here == "auto":
                assert options["data"], line
            elif verb.name == "train" and not ("/" in named_here or named_here.endswith(".txt") or is_file(named_here)):
                can_be_made(named_here, options["data"], options["settings"] or [], options["evaluate"])


def can_be_made(name, data, settings, evaluate):
    recipe = named(name) if evaluate is None else replace(named(name), evaluation=Evaluation())
    if data is not None:
        recipe = replace(recipe, data=read(data) if data.endswith(")") else Images(data))
    for setting in settings:
        recipe = with_setting(recipe, setting)


@every_page
def test_the_parts_that_a_page_names_can_be_built(page):
    prose = re.sub(r"^```.*?^```", "", WRITTEN[page], flags=re.MULTILINE | re.DOTALL)
    for part in re.findall(r"`(?:\w+=)?(\w+\([^`]*\))`", prose):
        if part.partition("(")[0] in vocabulary() and "..." not in part:
            read(part)


def test_every_table_is_on_a_page():
    marks = {
        mark for page in PAGES for mark in re.findall(r"^<!-- generated: (\w+) -->", page.read_text(), re.MULTILINE)
    }
    assert marks == set(tables.all_tables())
    assert set(re.findall(r"{{ (\w+) }}", (DOCS / "api.md").read_text())) == set(tables.references())


def test_every_row_of_a_table_has_its_cells():
    for name, text in tables.all_tables().items():
        for part in re.split(r"^## .+$", text, flags=re.MULTILINE)[text.startswith("##") :]:
            rows = [re.split(r"(?<!\\)\|", line) for line in part.strip().splitlines()]
            assert len(rows) > 2 and len({len(row) for row in rows}) == 1, name
            assert name == "gallery" or all(cell.strip() for row in rows for cell in (row[1], row[-2])), name


def test_a_table_has_equations_defaults_and_required_fields():
    assert "| `E[D(G(z))] - E[D(x)]` | `-E[D(G(z))]` |" in tables.objective_table()
    terms = tables.part_table("terms", "__call__", "turn")
    assert "`R1(gamma=1.0)`" in terms and "`Every(n, term)`" in terms and "WeightClip" not in terms
    assert r"E \|grad_x D(x)\|^2" in terms and "[arXiv 1801.04406](https://arxiv.org/abs/1801.04406)" in terms
    assert "| `data` | `Digits()` |" in tables.all_tables()["recipe_fields"]
