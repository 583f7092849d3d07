import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zerosum._arrays import evenly, evenly_to_the_end
from zerosum.data.dataset import in_memory
from zerosum.report import _neighbours as subject


def bytes_of(seed, *shape, below=256):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, below, shape, np.uint8))


def distances(queries, references):
    """All distances by brute force, in numpy."""
    return np.linalg.norm((queries[:, None].numpy() / 255.0 - references[None].numpy() / 255.0), axis=2)


@pytest.mark.parametrize("count", [1, 7, subject._BLOCK, subject._BLOCK + 1, 3 * subject._BLOCK + 11])
def test_the_nearest_are_those_of_brute_force(count):
    queries, references = bytes_of(0, 20, 17), bytes_of(1, count, 17)
    found = subject.nearest(queries, references)
    expected = distances(queries, references)
    assert (found.index.numpy() == expected.argmin(1)).all()
    np.testing.assert_allclose(found.distance.numpy(), expected.min(1), rtol=1e-12)


def test_a_copy_has_distance_0():
    references = bytes_of(0, 1200, 3000)
    found = subject.nearest(references[[5, 700, 1199]], references)
    assert found.index.tolist() == [5, 700, 1199]
    assert found.distance.tolist() == [0, 0, 0]


def test_ties_go_to_the_first():
    references = bytes_of(0, 1, 5).repeat(subject._BLOCK + 9, 1)
    assert subject.nearest(bytes_of(1, 2, 5), references).index.tolist() == [0, 0]


def test_a_query_is_not_its_own_neighbour():
    references = bytes_of(0, 2 * subject._BLOCK + 3, 6)
    own = torch.tensor([0, 3, subject._BLOCK, 2 * subject._BLOCK + 2])
    found = subject.nearest(references[own], references, own)
    expected = distances(references[own], references)
    expected[np.arange(4), own.numpy()] = np.inf
    assert (found.index.numpy() == expected.argmin(1)).all()


@settings(deadline=None)
@given(st.integers(1, 10**7), st.integers(1, 1000))
def test_indices_are_evenly_spaced_without_repetition(total, count):
    found = evenly(total, count)
    assert len(found) == min(total, count) == len(set(found.tolist()))
    assert found[0] == 0 and found[-1] < total
    assert not len(found) > 1 or int(found.diff().max() - found.diff().min()) <= 1


@settings(deadline=None)
@given(st.integers(1, 10**7), st.integers(2, 1000))
def test_indices_to_the_end_have_the_first_and_the_last(total, count):
    found = np.array(evenly_to_the_end(total, count))
    assert len(found) == min(total, count) and found[0] == 0 and found[-1] == total - 1
    assert not len(found) > 1 or 1 <= np.diff(found).min() >= np.diff(found).max() - 1


def data(images):
    return in_memory("made", images)


def test_a_generator_that_memorises_is_detected(run, make):
    images = bytes_of(0, 40, 1, 4, 4)
    memorised = images.float() / 127.5 - 1
    page = run.report(make.generator(lambda z: memorised[(z[:, 0].abs() * 1e4).long() % 40]), data(images))
    assert page.count("img", alt="generated") == page.count("img", alt="nearest training image") == 12
    generated = [image["src"] for image in page.all("img", alt="generated")]
    assert generated == [image["src"] for image in page.all("img", alt="nearest training image")]
    assert "Over 240 samples, the median distance is 0.00." in page.text


def test_distances_have_a_reference(run, make):
    images = bytes_of(0, 60, 1, 4, 4)
    maker = make.generator(make.grey)
    page = run.report(maker, data(images))
    samples = torch.from_numpy(maker.sample(240)).flatten(1)
    flat = images.flatten(1)
    own = distances(flat, flat)
    np.fill_diagonal(own, np.inf)
    to_training = np.sort(distances(samples, flat).min(1))
    assert f"the median distance is {to_training[119]:.2f}." in page.text
    assert (
        f"For 60 training images, the median distance to their nearest is {np.sort(own.min(1))[29]:.2f}." in page.text
    )
    for distance in distances(samples[:12], flat).min(1):
        assert f"{distance:.2f}" in page.texts
    assert "Compared with" not in page.text


def test_a_large_data_set_is_subsampled_and_it_is_reported(run, make, monkeypatch):
    monkeypatch.setattr(subject, "_IMAGES", 50)
    page = run.report(make.generator(make.grey), data(bytes_of(0, 2000, 1, 4, 4)))
    assert "Compared with 50 of 2,000 training images, evenly spaced." in page.text
    monkeypatch.setattr(subject, "_VALUES", 16 * 30)
    page = run.report(make.generator(make.grey), data(bytes_of(0, 2000, 1, 4, 4)))
    assert "Compared with 30 of 2,000 training images" in page.text


def test_one_training_image_has_no_reference(run, make):
    page = run.report(make.generator(make.grey), data(bytes_of(0, 1, 1, 4, 4)))
    assert "there is only one training image to compare with" in page.text


def test_data_of_another_shape_give_a_reason_instead_of_images(run, make):
    page = run.report(make.generator(make.grey), data(bytes_of(0, 9, 3, 8, 8)))
    assert "Not shown: samples have the shape (1, 4, 4), but training images (3, 8, 8)" in page.text


def test_a_shifted_copy_is_nearest_in_features_and_not_in_pixels():
    texture = bytes_of(0, 1, 1, 16, 16)
    grey = torch.full((1, 1, 16, 16), 128, dtype=torch.uint8)
    others = torch.cat([grey, texture.roll(4, 3), grey // 2])
    assert subject.nearest(texture.flatten(1), others.flatten(1)).index.tolist() == [0]
    assert subject.nearest_in_features(texture, others).tolist() == [1]
