"""Scores that others compute of the same features.

`golden.npz` is by plain NumPy and exact fractions (`golden_sets.py`); where a file of the numbers of public tools
(pytorch-fid, torch-fidelity and prdc) lies beside the repository, these are compared too.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.metrics import golden_sets

from zerosum.metrics.frechet import frechet_distance, frechet_distance_from_moments
from zerosum.metrics.kernel import kernel_distance
from zerosum.metrics.logits import inception_score
from zerosum.metrics.moments import Moments, moments_of
from zerosum.metrics.neighbours import density_coverage, precision_recall

PUBLIC = Path(__file__).parents[3] / "shared/golden/metrics.npz"
FILES = {"own": golden_sets.FILE, **({"public": PUBLIC} if PUBLIC.exists() else {})}
SETS = ("shifted", "same", "fewer_than_dims", "collapsed", "heavy_tails", "large_offset")
every_set = pytest.mark.parametrize("name", SETS)


@pytest.fixture(scope="module", params=FILES)
def golden(request):
    return golden_sets.read(FILES[request.param])


def sets(golden, name):
    return tuple(torch.from_numpy(golden[f"{name}/{side}"]) for side in ("real", "fake"))


def in_batches(features):
    made = Moments(features.shape[1])
    for batch in features.split(7):
        made.add(batch)
    return made


@every_set
def test_frechet_distance(golden, name):
    real, fake = sets(golden, name)
    expected = {"abs": 1e-9, "rel": 0} if name == "same" else {"abs": 0, "rel": 1e-6}
    for form in ("fid", "fid_sqrtm"):
        wanted = pytest.approx(float(golden[f"{name}/{form}"]), **expected)
        assert frechet_distance(real, fake) == wanted
        assert frechet_distance(fake, real) == wanted
        assert frechet_distance_from_moments(moments_of(real), in_batches(fake)) == wanted


@pytest.mark.parametrize("name", SETS[:-1])
def test_kernel_distance(golden, name):
    count = int(golden[f"{name}/kid_n"])
    real, fake = (side[:count] for side in sets(golden, name))
    wanted = pytest.approx(float(golden[f"{name}/kid_all"]), rel=1e-8, abs=0)
    assert kernel_distance(real, fake).value == wanted
    assert kernel_distance(fake, real).value == wanted


@every_set
@pytest.mark.parametrize("k", [3, 5])
def test_precision_and_recall(golden, name, k):
    found = precision_recall(*sets(golden, name), k=k)
    assert found.precision == pytest.approx(float(golden[f"{name}/precision_k{k}"]), abs=1e-6, rel=0)
    assert found.recall == pytest.approx(float(golden[f"{name}/recall_k{k}"]), abs=1e-6, rel=0)


@every_set
def test_density_and_coverage(golden, name):
    found = density_coverage(*sets(golden, name))
    assert found.density == pytest.approx(float(golden[f"{name}/density_k5"]), abs=1e-6, rel=0)
    assert found.coverage == pytest.approx(float(golden[f"{name}/coverage_k5"]), abs=1e-6, rel=0)


def test_inception_score(golden):
    found = inception_score(torch.from_numpy(golden["logits"]))
    assert found.value == pytest.approx(float(golden["inception_score"]), abs=1e-6, rel=0)
    assert found.spread is None


def test_the_file_is_what_its_script_computes():
    found, made = golden_sets.read(golden_sets.FILE), golden_sets.golden()
    assert found.keys() == made.keys() and golden_sets.FILE.stat().st_size < 10_000
    # The square root of a singular matrix turns rounding of 1e-16 into 1e-8, another one on each kind of processor.
    assert all(np.allclose(found[key], made[key], rtol=1e-7, atol=1e-9) for key in made)
