"""Each recipe has its page, always in the same form, and the code on it is the library's."""

import ast
import importlib.util
import inspect
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.errors import SphinxError

from zerosum.recipes.named_recipes import about, catalogue

DOCS = Path(__file__).parents[2] / "docs"
SOURCE = DOCS.parent / "src"
PAGES = {page.stem: page for page in sorted((DOCS / "systems").glob("*.md")) if page.stem != "index"}
HEADINGS = ["The equation", "The lines that are it", "The recipe", "Run it"]
every_page = pytest.mark.parametrize("name", PAGES)


def parts(name):
    """The paragraphs before the first heading, and the text under each heading."""
    first, *others = re.split(r"^## ", PAGES[name].read_text(encoding="utf-8"), flags=re.MULTILINE)
    return first.strip().split("\n\n"), {head: text for head, _, text in (part.partition("\n") for part in others)}


def included(text):
    """File and object of each piece of code that a text takes in, with its caption."""
    for path, options in re.findall(r"^```\{literalinclude\} (\S+)\n((?::.*\n)+)```$", text, re.MULTILINE):
        given = dict(re.findall(r"^:(\w+): (.+)$", options, re.MULTILINE))
        yield (DOCS / "systems" / path).resolve(), given["pyobject"], given["caption"]


def defined(path):
    """The names of a file's functions and classes, and of the methods of these."""
    for outer in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(outer, ast.FunctionDef | ast.ClassDef):
            yield outer.name
        if isinstance(outer, ast.ClassDef):
            yield from (f"{outer.name}.{inner.name}" for inner in outer.body if isinstance(inner, ast.FunctionDef))


def module(name):
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


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
def test_a_page_goes_on_by_the_same_headings(name):
    _, under = parts(name)
    assert [*under] == HEADINGS


@every_page
def test_a_link_to_a_paper_leads_where_it_says(name):
    links = re.findall(r"\[arXiv ([^]]+)\]\(([^)]+)\)", PAGES[name].read_text(encoding="utf-8"))
    assert links and all(url == f"https://arxiv.org/abs/{number}" for number, url in links)


@every_page
def test_there_is_an_equation_and_its_signs_are_explained(name):
    equations = re.split(r"^\$\$$", parts(name)[1]["The equation"], flags=re.MULTILINE)
    shown, told = equations[1::2], equations[-1].strip()
    assert shown and all(tex2mathml(one.strip(), as_block=True) for one in shown)
    assert "\n\n" not in told and re.search(r"\$[^$]+\$", told) and told.endswith(".")
    assert all(tex2mathml(one) for one in re.findall(r"\$([^$]+)\$", told))


@every_page
def test_the_code_is_taken_from_the_library_and_never_pasted(name):
    _, under = parts(name)
    found = {head: [*included(text)] for head, text in under.items()}
    assert found["The lines that are it"] and not found["The equation"] and not found["Run it"]
    for path, what, caption in found["The lines that are it"] + found["The recipe"]:
        assert caption == f"{path.relative_to(SOURCE).as_posix()}, {what}" and what in {*defined(path)}
    assert all(path.parent.name != "recipes" for path, _, _ in found["The lines that are it"])
    fences = re.findall(r"^```(\S+)", PAGES[name].read_text(encoding="utf-8"), re.MULTILINE)
    assert fences == ["{literalinclude}"] * sum(map(len, found.values())) + ["console"]


@every_page
def test_the_recipe_is_there_with_a_word_on_what_differs(name):
    make, text = catalogue()[name], parts(name)[1]["The recipe"]
    path, what, _ = next(included(text))
    assert (str(path), what) == (inspect.getsourcefile(make), make.__name__)
    assert re.fullmatch(r"[A-Z`].+\.", text.rpartition("```")[2].strip(), re.DOTALL)


@every_page
def test_the_command_trains_it_and_the_picture_has_a_caption_without_numbers(name):
    command, picture, caption = parts(name)[1]["Run it"].strip().split("\n\n")
    assert command == f"```console\n$ zerosum train {name}\n```"
    assert re.fullmatch(rf"!\[.+\]\(\.\./gallery/{name}\.png\)", picture)
    assert re.fullmatch(r"\*[^\d\n]+; the numbers stand in \[bench/gallery\.md\]\(\.\./gallery\.md\)\.\*", caption)


def test_the_index_lists_all_systems_in_the_groups_of_the_catalogue():
    groups = re.split(r"^## (.+)\n", module("tables").systems(), flags=re.MULTILINE)[1:]
    picture = r"(?:!\[\1\]\(\.\./gallery/\1\.png\)\{.+\}|no run yet)"
    row = re.compile(rf"^\| \[(?=[^|]+\]\((\S+)\.md\) \|){picture}\]\(\1\.md\) \| \[\1\]\(\1\.md\)", re.MULTILINE)
    listed = {head: row.findall(rows) for head, rows in zip(groups[::2], groups[1::2], strict=True)}
    told = {name: about(make).group for name, make in catalogue().items()}
    assert [*listed] == sorted({*told.values()})
    for group, names in listed.items():
        assert names == sorted(name for name in told if told[name] == group)


def test_a_recipe_with_figures_has_its_picture_and_a_page_without_one_says_so():
    with_figures = json.loads((DOCS.parent / "bench" / "gallery.json").read_text())
    pictures = {path.stem for path in (DOCS / "gallery").glob("*.png")}
    assert set(with_figures) <= pictures <= set(catalogue())
    page = ["before\n![What it makes](../gallery/no-such.png)\nafter ![ring](../gallery/ring.png)"]
    module("conf").tell_of_missing_pictures(None, "systems/ring", page)
    assert page == ["before\nno run yet\nafter ![ring](../gallery/ring.png)"]
    assert module("tables").picture("no-such") == "no run yet"


def test_an_equation_needs_no_script_and_a_wrong_one_stops_the_build():
    write_math = module("conf").write_math
    page = SimpleNamespace(body=[], builder=SimpleNamespace(current_docname="systems/ring"))
    for node in (nodes.math(text="x^2"), nodes.math_block(text="x^2")):
        with pytest.raises(nodes.SkipNode):
            write_math(page, node)
    inline, display = page.body
    assert inline.startswith("<math") and "block" not in inline and 'display="block"' in display
    with pytest.raises(SphinxError, match=r"systems/ring: .+ in \\nonsense"):
        write_math(page, nodes.math(text=r"\nonsense"))
