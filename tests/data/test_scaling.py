"""Points far from standard scale are scaled for the networks, and stay in the units of the data everywhere else."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

from zerosum._rooms import public
from zerosum.bench.tasks import tasks
from zerosum.data.dataset import Source, in_memory
from zerosum.data.fingerprints import fingerprint
from zerosum.data.inspect import info
from zerosum.data.resolve import source
from zerosum.data.scaling import PointScaling, measured, scaling_of, standardised
from zerosum.data.sources.arrays import ArraySource
from zerosum.data.sources.packing import pack
from zerosum.data.toys.gaussians import Gaussian1D, Ring
from zerosum.recipes.named_recipes import catalogue

EVERY = torch.arange(2_000)


def test_recipes_tasks_and_synthetic_sets_are_learned_as_they_are():
    kinds = [kind for kind in public("zerosum.data").values() if isinstance(kind, type) and "count" in dir(kind)]
    made = [kind() for kind in kinds if issubclass(kind, Source)]
    recipes = [recipe().data for recipe in catalogue().values()]
    found = [*made, *recipes, *(task.default.data for task in tasks())]
    points = {repr(one): one.open() for one in found if "Digits" not in repr(one)}
    points = {name: data for name, data in points.items() if not data.is_image}
    assert len(points) >= 12
    assert [name for name, data in points.items() if measured(data) is not None] == []
    assert all(standardised(data, None) is data for data in points.values())


@pytest.mark.parametrize("factor", [1e-9, 1e-3, 20.0, 1e3, 1e6, 1e30])
def test_a_ring_of_any_radius_is_scaled_to_one_of_radius_1_to_2(factor):
    data = Ring(radius=2 * factor, std=0.02 * factor).open()
    scaling = measured(data)
    x = standardised(data, scaling).read(EVERY)
    assert x.dtype == torch.float32 and 0.99 < float(x.norm(dim=1).mean()) < 2.01
    spread = standardised(data, scaling).read(EVERY)[data.labels[EVERY] == 0].std(0)
    assert bool(((spread > 0.009) & (spread < 0.022)).all())
    assert torch.equal(scaling.decode(x).float(), data.read(EVERY))  # powers of two lose nothing


def test_digits_of_float64_survive_in_both_directions():
    offsets = np.random.default_rng(0).normal(size=(2_000, 2))
    stamps = 1.7e9 + offsets
    data = ArraySource(stamps).open()
    assert data.read(EVERY).dtype == torch.float64 and np.array_equal(data.read(EVERY), stamps)
    scaling = measured(data)
    seen = standardised(data, scaling)
    assert seen.displayed is data and fingerprint(seen) == fingerprint(data)
    x = seen.read(EVERY)
    assert x.dtype == torch.float32 and np.abs(x.numpy() - offsets).max() < 0.2
    assert np.abs(scaling.decode(x).numpy() - stamps).max() < 1e-6
    facts = info(data)
    assert [*facts.mean] == pytest.approx([*stamps.mean(0)], abs=1e-4) and facts.duplicates == 0


def test_float64_points_of_standard_scale_enter_networks_in_float32():
    data = ArraySource(np.random.default_rng(0).normal(size=(50, 2))).open()
    assert measured(data) is None
    seen = standardised(data, None)
    assert seen.read(torch.arange(3)).dtype == torch.float32 and seen.displayed is data


def test_every_dimension_has_a_scale_of_its_own_and_a_constant_one_only_moves():
    rng = np.random.default_rng(0)
    columns = [rng.normal(170, 10, 2_000), rng.normal(0.003, 0.001, 2_000), np.full(2_000, 5_000.0)]
    scaling = measured(ArraySource(np.stack(columns, 1)).open())
    assert scaling.scale.tolist() == [8.0, 2.0**-10, 1.0] and scaling.offset[2] == 5_000
    assert scaling.offset[0] == pytest.approx(170, abs=1)


def test_outliers_do_not_set_the_scale():
    x = np.random.default_rng(0).normal(size=(10_000, 1))
    x[:20] = 1e9
    assert measured(ArraySource(x).open()) is None
    x[20:] *= 1_000
    assert measured(ArraySource(x).open()).scale.tolist() == [1024.0]
    rare = np.zeros((10_000, 1))
    rare[:20] = 1e6  # beyond both quantiles: the only spread there is
    assert float(measured(ArraySource(rare).open()).scale) == 2.0 ** round(np.log2(rare.std()))


def test_points_of_torch_and_packed_sets_keep_float64(tmp_path):
    x = 1e9 + np.random.default_rng(0).normal(size=(20, 2))
    every = torch.arange(20)
    for data in (source(TensorDataset(torch.from_numpy(x))).open(), pack(ArraySource(x), tmp_path / "packed")):
        assert np.array_equal(data.read(every).numpy(), x) and data.read(every).dtype == torch.float64
        assert torch.equal(measured(data).scale, measured(ArraySource(x).open()).scale)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e160])
def test_points_that_no_arithmetic_survives_are_refused(bad):
    x = torch.zeros(4, 2, dtype=torch.float64)
    x[2, 1] = bad
    with pytest.raises(
        ValueError, match=r"^x has a point with NaN, infinity or a number above 1e\+150: rescale or rem"
    ):
        in_memory("x", x)
    data = replace(in_memory("x", torch.zeros(4, 2)), read=lambda index: torch.full((len(index), 2), float("nan")))
    with pytest.raises(ValueError, match=r"^x has a point with NaN or infinity: remove or replace it"):
        measured(data)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ({}, "has an offset of 2 finite float64 numbers"),
        ({"offset": torch.zeros(2), "scale": torch.ones(2)}, "has an offset of 2 finite float64 numbers"),
        ({"offset": torch.zeros(2).double(), "scale": torch.ones(3).double()}, "has an scale of 2 finite"),
        ({"offset": torch.zeros(2).double(), "scale": torch.zeros(2).double()}, "has scales above 0"),
        ({"offset": torch.full((2,), np.nan).double(), "scale": torch.ones(2).double()}, "has an offset of 2 finite"),
    ],
)
def test_a_damaged_scaling_is_refused(state, sentence):
    with pytest.raises(ValueError, match=sentence):
        scaling_of({"coding": {"points": 2}}, state)
    assert scaling_of({}, state) is None


def test_a_scaling_is_restored_from_its_facts_and_tensors():
    scaling = measured(Gaussian1D(mean=1e5, std=7.0).open())
    again = PointScaling.restored(scaling.facts, scaling.state_dict())
    x = torch.randn(5, 1)
    assert torch.equal(again.decode(x), scaling.decode(x)) and again.decode(x).dtype == torch.float64
