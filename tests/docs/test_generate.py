"""Pages read the same on a forge and in the built manual: generated parts are in the files, and up to date."""

import re
from pathlib import Path

import pytest
from docs import conf, generate
from docs.tables import all_tables

ROOT = Path(__file__).parents[2]
PAGES = generate.pages()
PAGE = generate.DOCS / "page.md"


def part(name, body=""):
    return f"<!-- generated: {name} -->\n{body}{generate.END}"


def test_generated_parts_are_up_to_date():
    names = [page.relative_to(ROOT).as_posix() for page in generate.stale(all_tables())]
    assert names == [], "write them by `python -m docs.generate`"


def test_a_part_that_is_out_of_date_is_written_again_and_the_rest_stays(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text(f"# A\n\n{part('terms', 'old')}\n\nby hand\n")
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    ((found, text),) = generate.stale({"terms": "| new |"}).items()
    assert found == page and text == f"# A\n\n{part('terms', chr(10) + '| new |' + chr(10) * 2)}\n\nby hand\n"
    page.write_text(text)
    assert generate.stale({"terms": "| new |"}) == {}


def test_code_is_that_of_the_object_with_its_decorators():
    name = "src/zerosum/terms/weight_clipping.py"
    text = generate.generated(part(f"code {name} WeightClip.__call__"), PAGE, {})
    assert (
        f"[zerosum/terms/weight_clipping.py](../{name}), `WeightClip.__call__`:\n\n```python\n@torch.no_grad()" in text
    )
    assert "\ndef __call__(self, network: nn.Module) -> None:\n" in text
    whole = generate.generated(part("code examples/own_loop.py"), PAGE, {})
    assert (ROOT / "examples/own_loop.py").read_text().strip() in whole


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (part("lemmas"), "page.md: no table is called 'lemmas'; there are terms"),
        (part("code src/no.py f"), "page.md: there is no file src/no.py"),
        (part("code examples/own_loop.py no_such"), "examples/own_loop.py defines no no_such"),
        ("<!-- generated: terms -->\n", "page.md: each `<!-- generated: NAME -->` needs its own"),
    ],
)
def test_a_mark_that_cannot_be_followed_is_an_error(text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        generate.generated(text, PAGE, {"terms": ""})


def test_text_by_hand_keeps_its_line_numbers():
    text = f"one\n{part('terms', 'two' + chr(10))}\nfour\n"
    assert generate.by_hand(text).splitlines() == ["one", "", "", "", "four"]


def test_no_page_but_the_reference_needs_sphinx():
    for page in [ROOT / "README.md", *PAGES]:
        found = re.findall(r"^```\{.*|\{\{.*|^:::.*", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert page.name == "api.md" or found == [], page


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *PAGES], ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_and_images_lead_to_files(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'<img src="([^"]+)"', text)
    for link in links:
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = page.parent / path if path else page
        assert target.exists(), f"{page.name} links to {link}"
        if anchor:
            heads = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = [re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads]
            assert anchor in slugs, f"{page.name} links to {link}"


def test_files_that_a_page_names_exist():
    folders = [ROOT, ROOT / "src" / "zerosum"]
    for page in [*ROOT.glob("*.md"), *PAGES, *(ROOT / "benchmarks").rglob("*.md")]:
        text = generate.by_hand(page.read_text(encoding="utf-8"))
        named = re.findall(r"`((?:\w+/)+\w+\.(?:py|md|json))`", text)
        missing = [name for name in named if not any((folder / name).exists() for folder in folders)]
        assert missing == [], page


def test_the_contents_of_the_sidebar_are_what_the_first_page_links_to():
    text = "[a](a.md)\n\n## Guides\n\n- [b](b.md), [c](sub/c.md), [b](b.md)\n- [d](../benchmarks/results/d.md)\n"
    built = conf.with_contents("index", text)
    assert built == text + "\n```{toctree}\n:hidden:\n:caption: Guides\n\nb\nsub/c\n```\n"
    assert conf.with_contents("terms", text) == text


def test_links_to_pages_outside_the_manual_become_downloads():
    text = "[gallery](../benchmarks/results/gallery.md#modes), [terms](terms.md), [own](../docs/own-loop.md)"
    built = conf.outside_links(PAGE, text)
    assert (
        built == "{download}`gallery <../benchmarks/results/gallery.md>`, [terms](terms.md), [own](../docs/own-loop.md)"
    )
