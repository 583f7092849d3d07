"""Every recipe has a page in a fixed form, with code generated from the library."""

import inspect
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from docs import conf, tables
from docs.generate import by_hand
from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.errors import SphinxError

from zerosum.recipes.named_recipes import about, catalogue

DOCS = Path(__file__).parents[2] / "docs"
SOURCE = DOCS.parent / "src"
PAGES = {page.stem: page for page in sorted((DOCS / "systems").glob("*.md")) if page.stem != "index"}
HEADINGS = ["The equation", "The code", "The recipe", "Run it"]
every_page = pytest.mark.parametrize("name", PAGES)


def parts(name):
    """Return the paragraphs before the first heading, and the text under each heading."""
    first, *others = re.split(r"^## ", PAGES[name].read_text(encoding="utf-8"), flags=re.MULTILINE)
    return first.strip().split("\n\n"), {head: text for head, _, text in (part.partition("\n") for part in others)}


def marked(text):
    """Yield file and object of each generated code block of a text."""
    for path, what in re.findall(r"^<!-- generated: code (\S+) (\S+) -->$", text, re.MULTILINE):
        yield DOCS.parent / path, what


def test_every_recipe_has_a_page_and_every_page_a_recipe():
    assert sorted(PAGES) == sorted(catalogue())


@every_page
def test_a_page_begins_with_a_title_a_source_and_an_idea_of_three_sentences(name):
    (title, source, idea), _ = parts(name)
    assert re.fullmatch(r"# \S.+", title)
    assert re.search(r"\b(19|20)\d\d\b", source) and re.search(r"https://arxiv\.org/abs/\d{4}\.\d{4,5}", source)
    assert str(about(catalogue()[name]).year or "") in source
    sentences = re.split(r"(?<=[.!?])\s+", idea)
    assert len(sentences) == 3 and all(re.fullmatch(r"[A-Z\[].+\.", one, re.DOTALL) for one in sentences), sentences


@every_page
def test_all_pages_have_the_same_headings(name):
    _, under = parts(name)
    assert [*under] == HEADINGS


@every_page
def test_the_text_of_a_paper_link_matches_its_address(name):
    links = re.findall(r"\[arXiv ([^]]+)\]\(([^)]+)\)", PAGES[name].read_text(encoding="utf-8"))
    assert links and all(url == f"https://arxiv.org/abs/{number}" for number, url in links)


@every_page
def test_there_is_an_equation_and_its_symbols_are_explained(name):
    equations = re.split(r"^\$\$$", parts(name)[1]["The equation"], flags=re.MULTILINE)
    displayed, symbols = equations[1::2], equations[-1].strip()
    assert displayed and all(tex2mathml(one.strip(), as_block=True) for one in displayed)
    assert "\n\n" not in symbols and re.search(r"\$[^$]+\$", symbols) and symbols.endswith(".")
    assert all(tex2mathml(one) for one in re.findall(r"\$([^$]+)\$", symbols))


@every_page
def test_the_code_is_generated_from_the_library_and_never_pasted(name):
    _, under = parts(name)
    found = {head: [*marked(text)] for head, text in under.items()}
    assert found["The code"] and not found["The equation"] and not found["Run it"]
    assert all(path.is_relative_to(SOURCE) for path, _ in found["The code"] + found["The recipe"])
    assert not any(path.is_relative_to(SOURCE / "zerosum" / "recipes") for path, _ in found["The code"])
    written = by_hand(PAGES[name].read_text(encoding="utf-8"))
    assert re.findall(r"^```(\S+)", written, re.MULTILINE) == ["console"]


@every_page
def test_the_recipe_is_there_with_its_differences_from_the_paper(name):
    make, text = catalogue()[name], parts(name)[1]["The recipe"]
    path, what = next(marked(text))
    assert (str(path), what) == (inspect.getsourcefile(make), make.__name__)
    assert re.fullmatch(r"[A-Z`].+\.", text.rpartition("-->")[2].strip(), re.DOTALL)


@every_page
def test_the_command_trains_it_and_the_image_has_a_caption_without_numbers(name):
    command, image, caption = parts(name)[1]["Run it"].strip().split("\n\n")
    assert command == f"```console\n$ zerosum train {name}\n```"
    assert re.fullmatch(rf"!\[.+\]\(\.\./gallery/{name}\.png\)", image)
    link = r"\[benchmarks/results/gallery\.md\]\(\.\./\.\./benchmarks/results/gallery\.md\)"
    assert re.fullmatch(rf"\*[^\d\n]+; for the numbers see {link}\.\*", caption)


def test_the_index_lists_all_systems_in_the_groups_of_the_catalogue():
    groups = re.split(r"^## (.+)\n", tables.systems(), flags=re.MULTILINE)[1:]
    image = r'(?:<img src="\.\./gallery/\1\.png" [^>]+>|no run yet)'
    row = re.compile(rf"^\| \[(?=[^|]+\]\((\S+)\.md\) \|){image}\]\(\1\.md\) \| \[\1\]\(\1\.md\)", re.MULTILINE)
    listed = {head: row.findall(rows) for head, rows in zip(groups[::2], groups[1::2], strict=True)}
    group_of = {name: about(make).group for name, make in catalogue().items()}
    assert [*listed] == sorted({*group_of.values()})
    for group, names in listed.items():
        assert names == sorted(name for name in group_of if group_of[name] == group)


def test_a_recipe_with_figures_has_its_image_and_a_page_without_one_says_so():
    with_figures = json.loads((DOCS.parent / "benchmarks" / "results" / "gallery.json").read_text())
    images = {path.stem for path in (DOCS / "gallery").glob("*.png")}
    assert set(with_figures) <= images <= set(catalogue())
    page = ["before\n![Samples of it](../gallery/no-such.png)\nafter ![ring](../gallery/ring.png)"]
    conf.adapt_page(None, "systems/ring", page)
    assert page == ["before\nno run yet\nafter ![ring](../gallery/ring.png)"]
    assert tables.image("no-such", "", 72) == "no run yet"
    assert tables.image("ring", "../", 72) == '<img src="../gallery/ring.png" width="72" alt="ring">'


def test_an_equation_needs_no_script_and_a_wrong_one_stops_the_build():
    write_math = conf.write_math
    page = SimpleNamespace(body=[], builder=SimpleNamespace(current_docname="systems/ring"))
    for node in (nodes.math(text="x^2"), nodes.math_block(text="x^2")):
        with pytest.raises(nodes.SkipNode):
            write_math(page, node)
    inline, display = page.body
    assert inline.startswith("<math") and "block" not in inline and 'display="block"' in display
    with pytest.raises(SphinxError, match=r"systems/ring: .+ in \\nonsense"):
        write_math(page, nodes.math(text=r"\nonsense"))
