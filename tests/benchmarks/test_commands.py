"""Commands and images on pages and in docstrings: modules and options that exist, files that are there."""

import importlib.util
import re
from pathlib import Path

import pytest
from benchmarks.places import RESULTS, ROOT

PAGES = [*RESULTS.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), ROOT / "Makefile"]
MODULES = [*(ROOT / "benchmarks").rglob("*.py")]


def found_commands():
    """The commands of pages, in code spans that may break lines, and of usage lines in docstrings."""
    for page in PAGES:
        if page.name != "lab-notes.md":  # history
            text = " ".join(page.read_text(encoding="utf-8").split())
            yield from ((page, *found) for found in re.findall(r"python -m (benchmarks[\w.]*)([^`|]*)`", text))
    for module in MODULES:
        usage = module.read_text(encoding="utf-8").partition("\n\n")[2].partition('"""')[0]
        lines = re.sub(r"\n {8,}", " ", usage)
        yield from ((module, *found) for found in re.findall(r"^    python -m (benchmarks[\w.]*)(.*)$", lines, re.M))


COMMANDS = [*found_commands()]


def source_of(module):
    """The text of a program, with those of the modules whose parser it takes."""
    spec = importlib.util.find_spec(module)
    if spec is not None and spec.submodule_search_locations:
        spec = importlib.util.find_spec(f"{module}.__main__")
    if spec is None:
        return None
    source = Path(spec.origin).read_text(encoding="utf-8")
    shared = re.findall(r"^from (benchmarks[\w.]*) import .*\b\w+_parser\b", source, re.M)
    return "".join([source, *map(source_of, shared)])


@pytest.mark.parametrize(("page", "module", "words"), COMMANDS, ids=lambda value: str(getattr(value, "name", value)))
def test_a_command_has_a_module_and_its_options(page, module, words):
    source = source_of(module)
    assert source is not None and ("__main__" in source or module == "benchmarks"), f"{page}: no program {module}"
    unknown = [flag for flag in re.findall(r"(?<!\w)--[a-z-]+", words) if f'"{flag}"' not in source]
    assert not unknown, f"{page}: {module} has no option {unknown[0]}"


def test_there_are_commands_to_check():
    assert len({module for _, module, _ in COMMANDS}) > 15 and any("--pairs" in words for *_, words in COMMANDS)


def test_images_of_results_exist():
    for page in RESULTS.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page}: no file {target}"
