"""What holds for every transformation: found where the library finds them, so that a new one joins by existing."""

import inspect
from dataclasses import fields, is_dataclass, replace

import pytest
import torch

from zerosum._rooms import public
from zerosum.augment import Brightness, Contrast, Filter, Noise, Saturation, Translate
from zerosum.game import Draws, Transformation

DRAWS = Draws(seed=5, position=0)
OTHERS = (
    *(Brightness(distribution="normal"), Contrast(distribution="normal"), Saturation(distribution="normal")),
    *(Translate(fill="mirror"), Filter((1, 3))),
)
SHAPES = [(6, 3, 8, 8), (6, 1, 8, 11), (6, 4, 9, 6), (6, 2, 1, 5)]
STRENGTHS = ("strength", "ratio", "probability")


def transformations():
    """One of each that has defaults, and those that differ in kind from the defaults."""
    wanted = list(inspect.signature(Transformation.__call__).parameters)
    kinds = [
        kind
        for kind in public("zerosum.augment").values()
        if is_dataclass(kind) and list(inspect.signature(vars(kind).get("__call__")).parameters) == wanted
    ]
    return [*(kind() for kind in kinds), *OTHERS]


PARTS = transformations()
each = pytest.mark.parametrize("part", PARTS, ids=repr)


def test_the_search_finds_them_all():
    names = {type(part).__name__ for part in PARTS}
    assert names >= {"Flip", "Translate", "Cutout", "Brightness", "Saturation", "Contrast", "Hue", "Rotate90", "Scale"}
    assert names >= {"Rotate", "Anisotropy", "IntegerTranslate", "FractionalTranslate", "LumaFlip", "Noise", "Filter"}


@each
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shape_stays_and_numbers_are_finite(part, shape, images):
    y = part(images(*shape), DRAWS, "a")
    assert y.shape == shape
    assert y.isfinite().all()
    assert y.dtype == torch.float32


@each
def test_without_strength_nothing_changes(part, images):
    weak = {f.name: 0.0 for f in fields(part) if f.name in STRENGTHS}
    if weak:
        x = images(6, 3, 9, 8)
        still = replace(part, **weak)(x, DRAWS, "a")
        assert torch.allclose(still, x, atol=1e-6)
        assert not torch.allclose(part(x, DRAWS, "a"), x, atol=1e-3)


@each
def test_a_sample_depends_on_no_other(part, images):
    x, other = images(6, 3, 9, 8), images(6, 3, 9, 8, seed=1)
    other[2] = x[2]
    other[4] = torch.nan
    assert torch.equal(part(x, DRAWS, "a")[2], part(other, DRAWS, "a")[2])


@each
def test_samples_are_changed_each_in_its_own_way(part, images):
    x = images(1, 3, 9, 8).expand(16, -1, -1, -1)
    found = {tuple(sample.flatten().tolist()) for sample in part(x, DRAWS, "a")}
    ways = {"Flip": 2, "LumaFlip": 2, "Rotate90": 4}
    assert len(found) == ways.get(type(part).__name__, len(found))
    assert len(found) > (1 if type(part).__name__ in ways else 5)


@each
def test_draws_decide(part, images):
    x = images(12, 3, 9, 8)
    first = part(x, DRAWS, "a")
    assert torch.equal(first, part(x, Draws(seed=5, position=0), "a"))
    for draws, purpose in ((DRAWS, "b"), (Draws(5, 12), "a"), (Draws(6, 0), "a")):
        assert not torch.equal(first, part(x, draws, purpose))


@each
def test_ranks_share_out_what_one_process_does(part, images):
    x = images(6, 3, 9, 8)
    halves = [part(x[3 * r : 3 * r + 3], Draws(5, 0, rank=r, ranks=2), "a") for r in range(2)]
    assert torch.allclose(torch.cat(halves), part(x, DRAWS, "a"), atol=1e-6)


@each
def test_gradients_of_gradients_are_those_of_differences(part, images):
    x = images(2, 3, 4, 3).double().requires_grad_()
    weight = images(2, 3, 4, 3, seed=1).double()

    def D(x):
        return (part(x, DRAWS, "a") * weight).flatten(1).sum(1).tanh()

    assert torch.autograd.gradcheck(D, (x,))
    assert torch.autograd.gradgradcheck(D, (x,))


@each
def test_autocast_and_memory_format_change_nothing(part, images):
    x = images(6, 3, 9, 8)
    plain = part(x, DRAWS, "a")
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(part(x, DRAWS, "a"), plain)
    assert torch.allclose(part(x.contiguous(memory_format=torch.channels_last), DRAWS, "a"), plain, atol=1e-6)


@each
def test_samples_of_few_digits_are_changed_in_float32(part, images):
    x = images(6, 3, 9, 8).bfloat16()
    y = part(x, DRAWS, "a")
    moved_only = {"Cutout", "Flip", "Rotate90", "IntegerTranslate", "Translate"}  # there is nothing to compute
    assert y.dtype == torch.float32 or type(part).__name__ in moved_only
    assert torch.allclose(y.float(), part(x.float(), DRAWS, "a"), atol=1e-6)


@pytest.mark.parametrize("part", [part for part in PARTS if not isinstance(part, Noise)], ids=repr)
def test_points_are_refused(part):
    with pytest.raises(ValueError, match=r"expected images \(B, C, H, W\); found samples of .* \(4, 2\)"):
        part(torch.zeros(4, 2), DRAWS, "a")


@each
def test_strengths_below_zero_are_refused(part):
    for name in {f.name for f in fields(part)} & set(STRENGTHS):
        for value in (-0.1, float("nan"), float("inf")):
            with pytest.raises(ValueError, match=rf"{name} is a (share in \[0, 1\]|strength of at least 0); found"):
                replace(part, **{name: value})
