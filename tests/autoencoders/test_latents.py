"""Images as latents: the autoencoder and its training, the source, what is kept, and what is refused."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
import safetensors.torch
import torch
from torch.nn.functional import avg_pool2d, interpolate

from zerosum.autoencoders import LatentCoding, Latents
from zerosum.autoencoders.coding import ConvolutionalAutoencoder
from zerosum.autoencoders.latents import load_autoencoder, train_autoencoder
from zerosum.data import Arrays, ArraySource, Digits, Ring


@dataclass(frozen=True)
class Halving:
    """An autoencoder without weights: means of squares, and back; its second channel is always 3."""

    def encode(self, x):
        latents = avg_pool2d(x, 2)
        return torch.cat([latents, torch.full_like(latents[:, :1], 3.0)], 1)

    def decode(self, latents):
        return interpolate(latents[:, :-1], scale_factor=2)


def random_images(count=20, sides=(8, 12), seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, (count, *sides, 3), dtype=np.uint8)
    return ArraySource(noise, labels=np.arange(count) % 2)


@pytest.fixture(scope="module")
def digits_folder(tmp_path_factory):
    """An autoencoder trained on the digits for some seconds."""
    folder = tmp_path_factory.mktemp("autoencoders") / "digits"
    facts = train_autoencoder(Digits(), folder, size=16, channels=2, images=4_800)
    return folder, facts


def test_digits_come_back_close_after_some_seconds_of_training(digits_folder):
    folder, facts = digits_folder
    x = Digits().open().read(torch.arange(0, 5_000, 5))
    unit = x.float() / 127.5 - 1
    autoencoder = load_autoencoder(folder)
    with torch.no_grad():
        latents = autoencoder.encode(unit)
        error = (autoencoder.decode(latents) - unit).square().mean().sqrt().item()
    assert latents.shape == (1_000, 2, 14, 14)
    assert error == pytest.approx(facts["error"], rel=1e-4)
    spread = unit.square().mean().sub(unit.mean().square()).sqrt().item()
    assert error < 0.25 * spread


def test_the_folder_holds_weights_and_facts_and_no_code(digits_folder):
    folder, facts = digits_folder
    assert json.loads((folder / "autoencoder.json").read_text()) == json.loads(json.dumps(facts))
    assert facts["shape"] == (1, 28, 28)
    assert (facts["size"], facts["channels"], facts["halvings"], facts["images"]) == (16, 2, 1, 4_800)
    weights = safetensors.torch.load_file(str(folder / "autoencoder.safetensors"))
    assert weights.keys() == load_autoencoder(folder).state_dict().keys()


@pytest.mark.parametrize("halvings", [1, 2, 3])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 13), (2, 28, 20)])
def test_any_sides_come_back_whole(shape, halvings):
    torch.manual_seed(0)
    autoencoder = ConvolutionalAutoencoder(shape, 4, 3, halvings)
    x = torch.randn(2, *shape)
    latents = autoencoder.encode(x)
    assert latents.shape == (2, 3, *(-(-side // 2**halvings) for side in shape[1:]))
    assert autoencoder.decode(latents).shape == (2, *shape)
    f = 2**halvings
    rows, columns = (torch.arange(-(-side // f) * f).clamp(max=side - 1) for side in shape[1:])
    assert torch.equal(latents, autoencoder.down(x[:, :, rows][:, :, :, columns])), "the last row and column go on"


def test_widths_double_up_to_four_times_the_size():
    autoencoder = ConvolutionalAutoencoder((1, 64, 64), 4, 3, 4)
    widths = [layer.out_channels for layer in autoencoder.down if isinstance(layer, torch.nn.Conv2d)]
    assert widths == [4, 4, 8, 8, 16, 16, 16, 16, 3]


@pytest.mark.parametrize(
    ("sides", "halvings"), [((8, 8), 1), ((28, 28), 1), ((32, 40), 2), ((64, 64), 3), ((256, 256), 3), ((30, 99), 2)]
)
def test_images_are_halved_to_sides_of_eight_by_themselves(tmp_path, sides, halvings):
    source = random_images(2, sides)
    facts = train_autoencoder(source, tmp_path / "a", size=1, channels=1, images=1)
    assert facts["halvings"] == halvings


def test_training_is_decided_by_its_seed_and_leaves_the_global_generator_alone(tmp_path):
    torch.manual_seed(5)
    wanted = torch.rand(1)
    torch.manual_seed(5)
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        train_autoencoder(random_images(), tmp_path / name, size=2, channels=1, images=130, seed=seed)
    assert torch.equal(torch.rand(1), wanted)
    one, again, other = ((tmp_path / n / "autoencoder.safetensors").read_bytes() for n in ("one", "again", "other"))
    assert one == again
    assert one != other


def test_latents_are_scaled_by_channel_and_decode_to_what_the_autoencoder_makes_of_the_images(digits_folder):
    dataset = Latents(Digits(), str(digits_folder[0])).open()
    digits, autoencoder = Digits().open(), load_autoencoder(digits_folder[0])
    assert (len(dataset), dataset.shape, dataset.name) == (5_000, (2, 14, 14), "latents of digits")
    assert torch.equal(dataset.labels, digits.labels)
    assert dataset.classes == digits.classes
    whole = dataset.read(torch.arange(5_000)).double()
    np.testing.assert_allclose(whole.mean((0, 2, 3)), [0, 0], atol=1e-5)
    np.testing.assert_allclose(whole.std((0, 2, 3), correction=0), [1, 1], rtol=1e-5)
    some = torch.tensor([4, 1_000, 4_999])
    with torch.no_grad():
        wanted = autoencoder(digits.read(some).float() / 127.5 - 1)
    assert torch.allclose(dataset.coding.decode(dataset.read(some)), wanted, atol=1e-4)
    assert torch.equal(dataset.displayed.read(some), digits.read(some))
    assert digits.displayed is digits


def counting(monkeypatch):
    """How many images are encoded from here on."""
    encode, seen = ConvolutionalAutoencoder.encode, []

    def counted(self, x):
        seen.extend(x)
        return encode(self, x)

    monkeypatch.setattr(ConvolutionalAutoencoder, "encode", counted)
    return seen


def test_images_are_encoded_once_and_again_where_images_weights_or_file_differ(tmp_path, monkeypatch):
    folder = tmp_path / "small"
    train_autoencoder(random_images(), folder, size=2, channels=2, images=10)
    seen = counting(monkeypatch)

    def opened(seed=0):
        before = len(seen)
        x = Latents(random_images(seed=seed), str(folder)).open().read(torch.arange(20))
        return x, len(seen) - before

    (first, encoded), (second, again) = opened(), opened()
    assert (encoded, again) == (20, 0)
    assert torch.equal(first, second)
    assert opened(seed=1)[1] == 20
    assert opened()[1] == 0, "both are kept"
    for kept in folder.glob("latents-*"):
        kept.write_bytes(kept.read_bytes()[:-5])
    third, encoded = opened()
    assert encoded == 20
    assert torch.equal(first, third)
    weights = safetensors.torch.load_file(str(folder / "autoencoder.safetensors"))
    safetensors.torch.save_file({n: 2 * w for n, w in weights.items()}, str(folder / "autoencoder.safetensors"))
    assert opened()[1] == 20


def test_any_object_that_encodes_and_decodes_will_do():
    dataset = Latents(random_images(), Halving()).open()
    assert dataset.shape == (4, 4, 6)
    x = dataset.original.read(torch.arange(20)).float() / 127.5 - 1
    raw = avg_pool2d(x, 2).double()
    mean, std = raw.mean((0, 2, 3)), raw.std((0, 2, 3), correction=0)
    wanted = (raw - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)
    read = dataset.read(torch.arange(20))
    np.testing.assert_allclose(read[:, :3], wanted, atol=1e-5)
    assert not read[:, 3].any(), "a channel in which nothing happens is not scaled"
    np.testing.assert_allclose(dataset.coding.decode(read), interpolate(raw, scale_factor=2), atol=1e-5)


def test_latents_keep_the_conditions_of_their_images():
    noise = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
    ages = np.linspace(20, 70, 6)[:, None]
    opened = Latents(ArraySource(noise, conditions=ages, condition_names=("age",)), Halving()).open()
    assert opened.conditions is not None and opened.condition.components == ("age",)
    assert opened.conditions.values.tolist() == ages.tolist() and opened.displayed.conditions is opened.conditions


def test_a_coding_is_restored_from_its_facts_and_tensors(digits_folder):
    coding = Latents(Digits(), digits_folder[0]).open().coding
    again = LatentCoding.restored(json.loads(json.dumps(coding.facts)), coding.state_dict())
    latents = torch.randn(70, 2, 14, 14)
    assert torch.equal(coding.decode(latents), again.decode(latents))
    given = Latents(random_images(), Halving()).open().coding
    assert given.facts == {"given": "Halving"}
    assert given.state_dict().keys() == {"mean", "std"}
    latents = torch.randn(3, 4, 4, 6)
    other = LatentCoding.restored(given.facts, given.state_dict(), Halving())
    assert torch.equal(other.decode(latents), given.decode(latents))
    with pytest.raises(ValueError, match=r"autoencoder \(Halving\) was given in Python: pass it again, as load\("):
        LatentCoding.restored(given.facts, given.state_dict())
    with pytest.raises(ValueError, match="the weights do not fit an autoencoder of"):
        LatentCoding.restored({"autoencoder": {**coding.facts["autoencoder"], "size": 5}}, coding.state_dict())


def test_a_path_is_written_as_text_and_equal_sources_are_equal(tmp_path):
    assert repr(Latents(Digits(), tmp_path)) == f"Latents(data=Digits(), autoencoder='{tmp_path}')"
    assert Latents(Digits(), tmp_path) == Latents(Digits(), str(tmp_path))


@dataclass(frozen=True)
class Wrong:
    """An autoencoder whose latents are not what they should be."""

    latents: str

    def encode(self, x):
        return {"flat": x.flatten(1), "nan": x[:, :1] * torch.nan, "few": x[:1]}[self.latents]

    def decode(self, latents):
        return latents


def test_what_cannot_be_coded_is_refused(tmp_path, digits_folder):
    with pytest.raises(ValueError, match=r"an autoencoder encodes images; .* has samples of another kind, "):
        train_autoencoder(Ring(), tmp_path / "a")
    with pytest.raises(ValueError, match="an autoencoder encodes images; latents of digits has"):
        Latents(Latents(Digits(), digits_folder[0]), digits_folder[0]).open()
    with pytest.raises(ValueError, match="contains no autoencoder: train one with train_autoencoder"):
        Latents(Digits(), tmp_path / "nowhere").open()
    with pytest.raises(ValueError, match=r"is for images of shape \(1, 28, 28\); those of array have \(3, 8, 12\)"):
        Latents(random_images(), digits_folder[0]).open()
    for kind in ("flat", "nan", "few"):
        with pytest.raises(ValueError, match=r"Wrong should encode images as finite latents \(B, c, h, w\)"):
            Latents(random_images(), Wrong(kind)).open()
    with pytest.raises(ValueError, match="is not empty: name a new folder for the autoencoder"):
        train_autoencoder(Digits(), digits_folder[0])
    with pytest.raises(ValueError, match="is the number of training images of an autoencoder, at least 1; found 0"):
        train_autoencoder(Digits(), tmp_path / "a", images=0)
    for name in ("size", "channels", "halvings"):
        with pytest.raises(ValueError, match=f"an autoencoder's {name} is at least 1; found 0"):
            train_autoencoder(Digits(), tmp_path / "a", **{name: 0})
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "autoencoder.safetensors").write_bytes((digits_folder[0] / "autoencoder.safetensors").read_bytes())
    for text in ("[]", "{}", '{"format": "other"}'):
        (foreign / "autoencoder.json").write_text(text)
        with pytest.raises(ValueError, match="contains no autoencoder of the format 'zerosum autoencoder 1'"):
            load_autoencoder(foreign)


def test_an_array_or_a_path_is_data_of_latents_too(tmp_path):
    x = np.random.default_rng(0).integers(0, 255, (20, 16, 16), np.uint8)
    np.save(tmp_path / "x.npy", x)
    train_autoencoder(x, tmp_path / "coder", images=16, size=4)
    found = [Latents(data, tmp_path / "coder").open() for data in (x, torch.from_numpy(x), tmp_path / "x.npy")]
    assert all(torch.equal(data.read(torch.arange(20)), found[0].read(torch.arange(20))) for data in found)
    assert found[0].displayed.shape == (1, 16, 16)
    assert Latents(str(tmp_path / "x.npy"), "coder") == Latents(Arrays(str(tmp_path / "x.npy")), "coder")
