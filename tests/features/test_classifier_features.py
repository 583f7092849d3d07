"""A classifier of one's own images as an extractor: taught, saved, named."""

import pytest
import safetensors.torch
import torch

from zerosum.features.classifier_features import ClassifierFeatures
from zerosum.features.extractor import Extractor, extractor_named


def squares(count, channels=1, seed=0):
    """Noise with a bright upper or lower half, by the class."""
    draw = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 90, (count, 9, 8, channels), dtype=torch.uint8, generator=draw)
    labels = torch.randint(0, 2, (count,), generator=draw)
    for image, label in zip(images, labels, strict=True):
        image[4 * int(label) : 4 * int(label) + 4] += 150
    return images, labels


@pytest.fixture(scope="module")
def taught():
    return ClassifierFeatures.trained(*squares(150), classes=2, seen=3000)


def test_it_tells_apart_what_it_was_taught(taught):
    images, labels = squares(60, seed=1)
    found = taught(images)
    assert isinstance(taught, Extractor)
    assert float((found.logits.argmax(1) == labels).double().mean()) > 0.95
    assert found.features.shape == (60, int(taught.facts["dimensions"])) and found.features.dtype == torch.float32
    head = taught.classifier.reader.head
    assert torch.allclose(found.logits, found.features @ head.weight.T + head.bias, atol=1e-5)
    assert torch.allclose(taught(images[7:8]).features, found.features[7:8], atol=1e-5)


def test_saved_and_named_it_is_the_same(taught, tmp_path):
    images, _ = squares(5, seed=2)
    path = tmp_path / "squares.safetensors"
    taught.save(path)
    again = extractor_named(f"classifier:{path}")
    assert torch.equal(again(images).features, taught(images).features)
    assert torch.equal(again(images).logits, taught(images).logits)
    assert again.facts == taught.facts
    assert taught.facts["classes"] == "2" and taught.facts["accuracy"].endswith(" of 30 held out")
    assert taught.facts["resize"] == "none: images of 9x8x1"


def test_another_training_is_another_extractor(taught):
    other = ClassifierFeatures.trained(*squares(150), classes=2, seed=1, seen=600)
    assert other.facts["weights"] != taught.facts["weights"]


def test_grey_images_for_one_that_learned_from_coloured_ones():
    coloured = ClassifierFeatures.trained(*squares(30, 3), classes=2, seen=300)
    grey, _ = squares(4)
    assert torch.equal(coloured(grey).features, coloured(grey.expand(-1, -1, -1, 3)).features)


def test_refusals(taught, tmp_path):
    with pytest.raises(
        ValueError, match=r"this classifier reads uint8 images \(N, 1, 9, 8\); found uint8 \(5, 3, 9, 8\)"
    ):
        taught(squares(5, 3)[0])
    with pytest.raises(
        ValueError, match=r"classifier:FILE takes a file that ClassifierFeatures.save wrote; found no file"
    ):
        extractor_named("classifier")
    with pytest.raises(ValueError, match="classifier computes in float32 only; found bfloat16"):
        extractor_named("classifier-bfloat16:file")
    with pytest.raises(ValueError, match=r"there is no file of weights .*gone"):
        extractor_named(f"classifier:{tmp_path / 'gone'}")
    path = tmp_path / "other.safetensors"
    safetensors.torch.save_file({"weights": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match=r"a classifier's state holds accuracy, head.weight, held_out, shape and more"):
        extractor_named(f"classifier:{path}")
    with pytest.raises(ValueError, match=r"reads uint8 images \(B, H, W, C\), 0 to 255; found float32"):
        ClassifierFeatures.trained(squares(20)[0].float(), squares(20)[1], classes=2)
