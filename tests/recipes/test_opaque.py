"""A recipe whose own parts are unknown can be read, keeps its text, and says what it lacks where that is used."""

import copy
import typing
from dataclasses import fields, is_dataclass
from functools import cache

import pytest

from zerosum.recipes import catalogue, read_recipe, ring
from zerosum.recipes.reader import vocabulary
from zerosum.recipes.recipe import flat, pretty

SENTENCE = r"^unknown class 'Own': if it is yours, pass --use FILE.py \(or known= in Python\)$"


def with_own(text, place="objective"):
    return pretty(ring()).replace(f"{place}={pretty(getattr(ring(), place))}", f"{place}={text}")


@pytest.mark.parametrize(
    "text", ["Own()", "Own(-1e-05, scale=inf, parts=(R1(gamma=2.0), Other([1, 'a']), None), last=(1,))"]
)
def test_an_unknown_constructor_keeps_its_text(text):
    recipe = read_recipe(with_own(text), opaque=True)
    assert repr(recipe.objective) == flat(recipe.objective) == text
    assert read_recipe(pretty(recipe), opaque=True) == recipe
    assert repr(copy.deepcopy(recipe)) == repr(recipe)
    assert hash(recipe.objective) == hash(read_recipe(repr(recipe), opaque=True).objective)


def test_it_says_what_it_lacks_where_it_is_used():
    own = read_recipe(with_own("Own()"), opaque=True).objective
    with pytest.raises(ValueError, match=SENTENCE):
        own.d_loss(1, 2)
    with pytest.raises(ValueError, match=SENTENCE):
        own(None)
    assert not is_dataclass(own)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Own(a.b)", "recipe text holds literals and constructors only; found a.b"),
        ("Own(**{'a': 1})", "recipe text holds literals and constructors only|takes each field once"),
        ("Own(**Other())", "Own takes each field once, by name; found"),
        ("Own(*(1,))", "recipe text holds literals and constructors only"),
        ("R1(gama=Own())", "R1 has no field 'gama'"),
    ],
)
def test_its_arguments_are_recipe_text_as_well(text, message):
    with pytest.raises(ValueError, match=message):
        read_recipe(with_own(text), opaque=True)


@pytest.mark.parametrize("place", ["name", "batch", "G_opt"])
def test_it_stands_for_parts_and_not_for_literals(place):
    text = pretty(ring()).replace(f"    {place}={pretty(getattr(ring(), place), 4)}", f"    {place}=Own()")
    if place == "G_opt":
        assert repr(read_recipe(text, opaque=True).G_opt) == "Own()"
        return
    with pytest.raises(ValueError, match=rf"Recipe.{place} takes \w+; found Own\(\)"):
        read_recipe(text, opaque=True)


def test_without_leave_it_is_refused():
    with pytest.raises(ValueError, match=r"unknown class 'Own': if it is yours, pass --use FILE\.py"):
        read_recipe(with_own("Own()"))


@cache
def players(annotation):
    """Whether an annotation asks for a protocol, by itself, or None, or in a tuple."""
    parts = typing.get_args(annotation) or (annotation,)
    return any(getattr(part, "_is_protocol", False) for part in parts)


HOLDERS = {
    f"{kind.__name__}.{field.name}": (kind, field.name)
    for kind in vocabulary().values()
    for field in fields(kind)
    if field.init and players(typing.get_type_hints(kind)[field.name]) and kind.__name__ != "Recipe"
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_every_part_that_holds_others_may_hold_one_that_is_unknown(holder):
    """So that an own objective within `TopK`, say, does not stand in the way of loading what it trained."""
    kind, place = HOLDERS[holder]
    annotation = typing.get_type_hints(kind)[place]
    rest = {
        "Aided.aid": "discriminator=DCGANDiscriminator(), ",
        "Every.term": "n=2, ",
        "Scheduled.schedule": "term=R1(), ",
        "Scheduled.term": "schedule=Constant(), ",
        "Latents.data": "autoencoder='folder', ",
        "Latents.autoencoder": "data=Digits(), ",
    }
    given = rest.get(holder, "")
    value = "(Own(),)" if typing.get_origin(annotation) is tuple else "Own()"
    read_recipe(with_own(f"Outer({kind.__name__}({given}{place}={value}))"), opaque=True)


@pytest.mark.parametrize("name", catalogue())
def test_recipes_that_know_all_their_parts_are_read_alike(name):
    recipe = catalogue()[name]()
    assert read_recipe(pretty(recipe), opaque=True) == recipe
