"""How the manual is built: plain pages in Markdown, and the reference from the docstrings. Needs no network."""

import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.errors import SphinxError

sys.path.insert(0, str(Path(__file__).parents[1]))

import zerosum
from docs import tables

DOCS = Path(__file__).parent

project = "zerosum"
author = "The zerosum authors"
copyright = author
release = zerosum.__version__
html_title = f"zerosum {release}"
html_theme = "furo"
html_math_renderer = "mathml"  # browsers draw it themselves: equations need neither the network nor a script

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath", "html_image", "substitution"]
myst_substitutions = tables.references()
html_scaled_image_link = False  # an image that stands for a link has a target of its own
myst_heading_anchors = 2
smartquotes = False

# Docstrings are written to be read in the source: `code` in single backticks, |x| for a magnitude.
default_role = "literal"
napoleon_use_ivar = True  # else a dataclass's attributes would be described twice
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100


def escape_bars(app: Sphinx, kind: str, name: str, value: object, options: Any, lines: list[str]) -> None:  # noqa: ARG001
    """Keep reStructuredText from taking the bars of |x| outside code for marks of its own."""
    parts = re.split(r"(`[^`]*`)", "\n".join(lines))
    parts[::2] = [part.replace("|", r"\|") for part in parts[::2]]
    lines[:] = "".join(parts).split("\n")


def adapt_page(app: Sphinx, page: str, source: list[str]) -> None:  # noqa: ARG001
    """Give a plain page what only the built manual needs: contents, links to files outside docs, images to come."""
    path = DOCS / f"{page}.md"
    source[0] = with_contents(page, outside_links(path, missing_images(source[0])))


def missing_images(text: str) -> str:
    """In place of an image of the gallery that has not been made yet, say so."""

    def shown(found: re.Match[str]) -> str:
        return found[0] if (DOCS / "gallery" / found[1]).is_file() else tables.NO_IMAGE

    return re.sub(r"!\[[^\]]*\]\(\.\./gallery/([^)]+\.png)\)", shown, text)


def outside_links(path: Path, text: str) -> str:
    """Make links to Markdown files outside docs downloads, since the built manual has no pages for them."""

    def download(found: re.Match[str]) -> str:
        is_outside = not (path.parent / found[2]).resolve().is_relative_to(DOCS)
        return f"{{download}}`{found[1]} <{found[2]}>`" if is_outside else found[0]

    return re.sub(r"\[([^\]]+)\]\((\.\./[^)#]+\.md)(?:#[^)]*)?\)", download, text)


def with_contents(page: str, text: str) -> str:
    """Append the contents for the sidebar: on the first page what its sections link to, on that of systems all."""
    if page == "systems/index":
        return f"{text}\n```{{toctree}}\n:hidden:\n:glob:\n\n*\n```\n"
    if page != "index":
        return text
    _, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    parts = [text]
    for section in sections:
        caption, _, body = section.partition("\n")
        links = dict.fromkeys(re.findall(r"\]\(([\w/-]+)\.md\)", body))
        parts.append("\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *links, "```", ""]))
    return "\n".join(parts)


def write_math(self: Any, node: nodes.math | nodes.math_block) -> None:
    """Write an equation as MathML; LaTeX that is none stops the build."""
    text, alone = node.astext(), isinstance(node, nodes.math_block)
    try:
        equation = tex2mathml(text, as_block=alone)
    except MathError as error:
        raise SphinxError(f"{self.builder.current_docname}: {error} in {text}") from error
    self.body.append(f"<p>{equation}</p>" if alone else equation)
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Hook into the build: docstrings before napoleon reads them, pages before they are parsed, and equations."""
    app.connect("autodoc-process-docstring", escape_bars, priority=400)
    app.connect("source-read", adapt_page)
    app.add_html_math_renderer("mathml", (write_math, None), (write_math, None))
