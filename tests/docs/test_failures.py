"""The failures of the guides: each is a command that can be given, on a page that has a place for it."""

from pathlib import Path

import pytest
from scripts.draw_failures import FAILURES, command

from zerosum.recipes.named_recipes import named
from zerosum.recipes.settings import with_setting

GUIDES = Path(__file__).parents[2] / "docs" / "guides"


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_a_recipe_and_its_guide_has_the_place(name):
    words = command(name, FAILURES[name])
    recipe = named(words[1])
    for setting in (words[n + 1] for n, word in enumerate(words) if word == "--set"):
        recipe = with_setting(recipe, setting)
    assert recipe != named(words[1]) and words[-1] == f"runs/failures/{name}"
    text = (GUIDES / f"{FAILURES[name].guide}.md").read_text(encoding="utf-8")
    assert f"<!-- {name}: written by scripts.draw_failures -->" in text
