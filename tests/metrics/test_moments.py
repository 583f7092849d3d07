import numpy as np
import pytest
import safetensors.torch
import torch

import zerosum.metrics._features as reading
from zerosum import _disk
from zerosum.metrics import moments
from zerosum.metrics.moments import Moments, moments_facts, moments_of


def drawn(count=200, dimensions=5, offset=0.0, seed=0):
    draw = np.random.default_rng(seed)
    spread = np.linspace(0.1, 3, dimensions)
    return torch.from_numpy(draw.normal(size=(count, dimensions)) * spread + offset)


def same(made, other, tolerance=1e-12):
    scale = float(other.covariance.abs().max())
    assert made.count == other.count
    assert torch.allclose(made.mean, other.mean, rtol=1e-14, atol=tolerance * scale**0.5)
    assert torch.allclose(made.covariance, other.covariance, rtol=0, atol=tolerance * scale)


def test_they_are_those_of_numpy():
    x = drawn()
    made = moments_of(x)
    assert made.count == 200
    assert np.allclose(made.mean, x.numpy().mean(0), rtol=0, atol=1e-14)
    assert np.allclose(made.covariance, np.cov(x.numpy(), rowvar=False), rtol=0, atol=1e-13)


@pytest.mark.parametrize("batch", [1, 64, 200])
def test_batches_of_any_size_and_order_and_two_ranks_give_the_same(batch):
    x = drawn()
    whole = moments_of(x)
    ranks = [Moments(5), Moments(5)]
    for place, part in enumerate(torch.randperm(200, generator=torch.Generator().manual_seed(1)).split(batch)):
        ranks[place % 2].add(x[part])
    ranks[0].merge(ranks[1])
    same(ranks[0], whole)


def test_an_empty_rank_and_an_empty_batch_change_nothing():
    whole, other = moments_of(drawn()), Moments(5)
    whole.merge(Moments(5))
    whole.add(torch.zeros(0, 5))
    other.merge(whole)
    same(other, moments_of(drawn()), 1e-15)


def test_a_set_merged_with_itself_is_the_set_twice():
    made = moments_of(drawn())
    made.merge(made)
    same(made, moments_of(drawn().repeat(2, 1)))


def test_features_far_from_the_origin_keep_their_digits():
    x, far = drawn(), 2.0**20
    x = (x * 2**25).round() / 2**25  # so that the sum with the offset is exact
    made = Moments(5)
    for part in (x + far).split(9):
        made.add(part)
    same(made, moments_of(x + far), 1e-9)
    assert torch.allclose(made.covariance, moments_of(x).covariance, rtol=0, atol=1e-9)


def test_equal_rows_have_no_covariance_at_all():
    made = Moments(3)
    for _ in range(4):
        made.add(torch.full((7, 3), 0.1))
    assert float(made.covariance.abs().max()) == 0.0
    assert made.mean.tolist() == [float(np.float32(0.1))] * 3


def test_long_sets_are_read_in_chunks(monkeypatch):
    whole = moments_of(drawn())
    monkeypatch.setattr(reading, "AT_ONCE", 35)
    seen = []
    chunks = reading.in_chunks
    monkeypatch.setattr(moments, "in_chunks", lambda x: (seen.append(len(part)) or (i, part) for i, part in chunks(x)))
    same(moments_of(drawn()), whole)
    assert max(seen) == 7 and sum(seen) == 200


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_sums_are_in_float64_whatever_the_features_are(dtype):
    x = drawn().to(dtype)
    same(moments_of(x), moments_of(x.double()), 1e-15)


def test_they_go_through_a_file_with_their_facts_and_go_on(tmp_path):
    path, half = tmp_path / "real.safetensors", drawn()[:80]
    moments_of(half).save(path, {"extractor": "pixels", "resize": "none"})
    assert moments_facts(path) == {"extractor": "pixels", "resize": "none"}
    back = Moments.load(path)
    assert torch.equal(back.covariance, moments_of(half).covariance) and torch.equal(back.mean, moments_of(half).mean)
    back.add(drawn()[80:])
    same(back, moments_of(drawn()))
    moments_of(half).save(path)
    assert moments_facts(path) == {} and [found.name for found in tmp_path.iterdir()] == ["real.safetensors"]


def test_a_file_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "m.safetensors"
    moments_of(drawn()).save(path)
    before = path.read_bytes()

    def full(file, content):
        file.write_bytes(b"half of it")
        raise OSError("no space left")

    monkeypatch.setattr(_disk, "write_durably", full)
    with pytest.raises(OSError, match="no space left"):
        moments_of(drawn(count=9)).save(path)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"no tensors here")
    for read in (Moments.load, moments_facts):
        with pytest.raises(ValueError, match="is not a valid safetensors file"):
            read(path)
    moments_of(drawn()).save(path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ValueError, match="is not a valid safetensors file"):
        Moments.load(path)
    safetensors.torch.save_file({"mean": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match=r"contains no moments in the format 'zerosum moments 1'; found None"):
        Moments.load(path)
    good = {"count": torch.tensor(2), "mean": torch.zeros(3).double(), "scatter": torch.zeros(3, 3).double()}
    for name, broken in (("mean", torch.zeros(2).double()), ("mean", torch.zeros(3)), ("count", torch.tensor(-1))):
        safetensors.torch.save_file({**good, name: broken}, path, {"format": moments.FORMAT, "facts": "{}"})
        with pytest.raises(ValueError, match=r"contains no moments: a count, a mean \(d,\) and a scatter"):
            Moments.load(path)
    known = {"format": moments.FORMAT, "facts": "{}"}
    safetensors.torch.save_file({**good, "mean": good["mean"] * torch.nan}, path, known)
    with pytest.raises(ValueError, match="contains no moments: a count"):
        Moments.load(path)
    for facts in ("", "[]", "{"):
        safetensors.torch.save_file(good, path, {**known, "facts": facts})
        with pytest.raises(
            ValueError, match=r"the facts of moments, is not valid JSON|contains moments whose facts are not texts by"
        ):
            moments_facts(path)


def test_refusals():
    made = Moments(5)
    with pytest.raises(ValueError, match="a covariance needs 2 or more samples; found 0"):
        _ = made.covariance
    made.add(drawn(1))
    with pytest.raises(ValueError, match="a covariance needs 2 or more samples; found 1"):
        _ = made.covariance
    with pytest.raises(ValueError, match="these moments are of 5 dimensions; found features of 4"):
        made.add(torch.zeros(3, 4))
    with pytest.raises(ValueError, match="these moments are of 5 dimensions; found others of 4"):
        made.merge(Moments(4))
    with pytest.raises(ValueError, match="dimensions must be 1 or more; found 0"):
        Moments(0)
    with pytest.raises(
        ValueError, match=r"added features must be floating-point numbers \(N, d\); found int64 \(2, 5\)"
    ):
        made.add(torch.zeros(2, 5, dtype=torch.int64))
    broken = drawn().float()
    broken[117, 3] = torch.nan
    with pytest.raises(ValueError, match="added features must be finite; sample 117 is not"):
        made.add(broken)
    broken[117, 3], broken[4, 0] = 0.0, -torch.inf
    with pytest.raises(ValueError, match="added features must be finite; sample 4 is not"):
        made.add(broken)
    assert made.count == 1
