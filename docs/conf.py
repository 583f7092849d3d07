"""How the manual is built: pages in Markdown, and beside them what the code tells of itself. Needs no network."""

import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.errors import SphinxError

sys.path.insert(0, str(Path(__file__).parent))
import tables

import zerosum

project = "zerosum"
author = "The zerosum authors"
copyright = author
release = zerosum.__version__
html_title = f"zerosum {release}"
html_theme = "furo"
html_math_renderer = "mathml"  # browsers draw it themselves: equations need neither the network nor a script

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["attrs_inline", "dollarmath", "substitution"]
myst_substitutions = tables.all_tables()
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


def tell_of_missing_pictures(app: Sphinx, page: str, source: list[str]) -> None:  # noqa: ARG001
    """In place of a gallery's picture that has not been made yet, say so."""
    parts = re.split(r"(!\[[^\]]*\]\(\.\./gallery/[^)]+\.png\)(?:\{[^}]*\})?)", source[0])
    for place, part in enumerate(parts[1::2]):
        path = part.split("../")[1].split(")")[0]
        if not (Path(__file__).parent / path).is_file():
            parts[2 * place + 1] = tables.NO_PICTURE
    source[0] = "".join(parts)


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
    """Hook into the build: docstrings before napoleon reads them, pictures that are not there yet, and equations."""
    app.connect("autodoc-process-docstring", escape_bars, priority=400)
    app.connect("source-read", tell_of_missing_pictures)
    app.add_html_math_renderer("mathml", (write_math, None), (write_math, None))
