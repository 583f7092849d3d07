"""The distortion gallery: metrics detect the corruptions that they should, and only those."""

import json
import math

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.cli import app
from zerosum.data.sources.digits import Digits
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.measure import FunctionMeasure, ScoreInfo, measure_kinds
from zerosum.evaluation.sanity.corruption import resized_like, set_distortions
from zerosum.evaluation.sanity.detection import STRENGTHS, Sanity, check_sanity
from zerosum.evaluation.sanity.distortions import gaussian_noise
from zerosum.evaluation.sanity.gallery_page import curves, gallery, sanity_table, write_sanity
from zerosum.evaluation.sanity.sample_sets import check_sample_set
from zerosum.features.extractor import Features, Function
from zerosum.metrics.frechet import frechet_distance

DRAW = torch.Generator().manual_seed(0)
LABELS = torch.arange(320) % 4
SPLIT = torch.randn(108, 10, generator=DRAW)


def images():
    """Four kinds of images that differ in their bright quarter."""
    x = torch.randint(30, 90, (320, 6, 6, 1), dtype=torch.uint8, generator=DRAW)
    for one, kind in enumerate(LABELS.tolist()):
        x[one, 3 * (kind // 2) : 3 * (kind // 2) + 3, 3 * (kind % 2) : 3 * (kind % 2) + 3] += 120
    return x


IMAGES = images()


def extract(x):
    flat = x.float().flatten(1) / 64
    quarters = torch.nn.functional.avg_pool2d(x.float().permute(0, 3, 1, 2), 3).flatten(1) / 12
    return Features(flat @ SPLIT[: flat.shape[1]], quarters)


EXTRACTOR = Function(extract, "quarters")


@pytest.fixture(scope="module")
def found():
    other = torch.randint(256, (50, 8, 8, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(5))
    progress = []
    made = check_sanity(
        IMAGES, EXTRACTOR, LABELS, other, seed=1, batch=50, progress=lambda *counts: progress.append(counts)
    )
    counts = [done for done, _ in progress]
    assert counts == sorted(counts) and progress[-1] == (320 + 50 + 4 * 5 * 160,) * 2
    return made


def test_every_score_is_computed_for_every_distortion_and_strength(found):
    known = {name: info for kind in measure_kinds().values() for name, info in kind().gives.items()}
    left_out = {
        "cas",
        "intra-fid",
        "memorisation-closer",
        "memorisation-p",
        "ppl",
        *(
            "consistency",
            "mae",
            "ms_ssim",
            "perceptual",
            "psnr",
            "r_precision",
            "r_precision_real",
            "sharpness",
            "ssim",
        ),
        *("distinct", "ngrams", "novel", "words"),
    }  # of images and labels; without a worse way; of a generator; of pairs; of texts
    assert [*found.spread] == [*found.infos] == [name for name in known if name not in left_out]
    assert [*found.curves] == [*found.images] and len(found.curves) == 10
    for scores in found.curves.values():
        assert [*scores] == [*found.spread]
        assert all(len(values) == len(STRENGTHS) and np.isfinite(values).all() for values in scores.values())
    firsts = {tuple(values[0] for values in scores.values()) for scores in found.curves.values()}
    assert len(firsts) == 1, "strength 0 is the same for all"
    assert all(std > 0 for std in found.spread.values())
    averaged = {name for name, scores in found.errors.items() if any(any(values) for values in scores.values())}
    assert averaged == {"fewer samples"} and found.errors["fewer samples"]["fid"][0] == 0


def test_a_curve_is_the_score_of_the_corrupted_half(found):
    order = torch.randperm(320, generator=torch.Generator().manual_seed(1))
    real, corrupted = IMAGES[order[:160]], IMAGES[order[160:]]
    for place, strength in enumerate(STRENGTHS):
        noisy = gaussian_noise(corrupted, strength, 1)
        truth = frechet_distance(extract(real).features, extract(noisy).features)
        assert found.curves["Gaussian noise"]["fid"][place] == pytest.approx(truth, rel=1e-6)


def test_scores_detect_the_distortions_that_they_should(found):
    detection = found.detection
    assert (
        detection("Gaussian noise", "fid").strength is not None and detection("salt and pepper", "precision").strength
    )
    assert (
        detection("dropped modes", "recall").strength is not None
        and detection("dropped modes", "is").strength is not None
    )
    assert detection("dropped modes", "precision").strength is None
    assert detection("repeated samples", "coverage").strength is not None
    copied = {score: detection("memorised training", score) for score in found.spread}
    assert copied["memorisation"].strength is not None and copied["fid"].strength is None
    assert copied["coverage"].strength is None and found.curves["memorised training"]["fid"][-1] < 1e-6
    assert detection("fewer samples", "fid").strength is not None and detection("fewer samples", "kid").strength is None


def synthetic(values, std, score="fid", error=0.0):
    strengths, errors = STRENGTHS[: len(values)], (0.0, *(error for _ in values[1:]))
    curves = ({"it": {score: tuple(values)}}, {"it": {score: errors}})
    info = {"fid": ScoreInfo("lower", ""), "recall": ScoreInfo("higher", "")}.get(
        score, ScoreInfo("", "", alarm="lower")
    )
    return Sanity(9, {}, strengths, {score: std}, *curves, {"it": ()}, {score: info})


def test_a_detection_needs_three_standard_deviations_at_all_larger_strengths():
    assert synthetic([5, 36, 34, 36, 45], 10).detection("it", "fid").strength == 0.75
    assert synthetic([5, 5, 5, 5, 34], 10).detection("it", "fid").strength is None
    assert synthetic([5, 5, 5, 5, 45], 10, error=10).detection("it", "fid").strength is None, "3 x 14.1 is more than 40"
    down = synthetic([50, 10, 10, 10, 10], 10, "recall").detection("it", "recall")
    assert down.strength == 0.25 and not down.rewarded
    up = synthetic([50, 90, 10, 10, 10], 10, "recall").detection("it", "recall")
    assert up.strength == 0.5 and up.rewarded
    assert not synthetic([0, 90], 1, "memorisation").detection("it", "memorisation").rewarded
    assert synthetic([50, 90, 10], 10, "recall").shift("it", "recall") == (0, -4, 4)


def test_set_distortions_of_images_and_of_features_agree():
    train, other = IMAGES[:160], 255 - IMAGES[:20]
    inside = set_distortions(extract(train).features, LABELS[160:], extract(other).features)
    for name, distort in set_distortions(train, LABELS[160:], other).items():
        corrupted = extract(distort(IMAGES[160:], 0.5, 3)).features
        assert torch.allclose(inside[name](extract(IMAGES[160:]).features, 0.5, 3), corrupted, atol=1e-4)
    assert "dropped modes" not in set_distortions(train, None, other)
    assert [*set_distortions(train, None, None)] == ["repeated samples", "memorised training", "fewer samples"]
    assert len(set_distortions(train, None, None)["fewer samples"](torch.zeros(160, 2), 1.0, 0)) == 8
    assert len(set_distortions(train, None, None)["fewer samples"](torch.zeros(3_200, 2), 1.0, 0)) == 100


def test_another_set_is_resized_to_the_same_shape():
    white = torch.full((2, 9, 5, 1), 255, dtype=torch.uint8)
    assert torch.equal(resized_like(white, torch.zeros(1, 12, 7, 3)), torch.full((2, 12, 7, 3), 255, dtype=torch.uint8))
    colours = torch.tensor([0, 60, 240], dtype=torch.uint8).expand(1, 4, 4, 3)
    assert resized_like(colours, torch.zeros(1, 8, 8, 1)).unique().tolist() == [100]


def test_metrics_can_be_selected_and_must_use_features():
    def width(real, fake):
        return float(fake.std())

    few = check_sanity(IMAGES[:64], EXTRACTOR, metrics=("kid", FunctionMeasure(width, better="higher")))
    assert [*few.spread] == ["kid", "width"] and few.infos["width"].worse == "lower"
    with pytest.raises(
        ValueError, match="corrupted images are scored by metrics of features, logits, moments; cas needs more"
    ):
        check_sanity(IMAGES[:64], EXTRACTOR, metrics=("cas",))


def test_images_numbers_and_a_page_are_written(found, tmp_path):
    files = write_sanity(tmp_path / "out", found)
    assert {file.name for file in files} == {"gallery.png", "curves.png", "sanity.json", "sanity.html"}
    facts = json.loads((tmp_path / "out" / "sanity.json").read_text())
    assert facts["n"] == 160 and facts["detections"]["swirl"].keys() == found.spread.keys()
    assert facts["curves"]["swirl"]["kid"] == list(found.curves["swirl"]["kid"])
    page = (tmp_path / "out" / "sanity.html").read_text()
    assert page.count("data:image/png;base64,") == 2 and "with quarters features" in page and "dropped modes" in page
    with Image.open(tmp_path / "out" / "gallery.png") as image:
        assert image.size == gallery(found).size and len(image.convert("RGB").getcolors(10_000)) <= 96
    assert (tmp_path / "out" / "curves.png").stat().st_size < 80_000
    table = sanity_table(found).splitlines()
    assert table[0] == f"| distortion | {' | '.join(found.spread)} |"
    assert len(table) == 12 and len({line.count("|") for line in table}) == 1
    assert "rewards" in next(line for line in table if line.startswith("| memorised training |"))


def test_the_gallery_shows_the_distortions(found):
    sheet = np.asarray(gallery(found)).astype(int)
    cell = {place: sheet[18 + 67 * row : 82 + 67 * row, 132 + 67 * column : 196 + 67 * column]
            for row, _ in enumerate(found.images) for column in range(5) for place in [(row, column)]}  # fmt: skip
    names = [*found.images]
    clean = cell[0, 0]
    assert all((cell[row, 0] == clean).all() for row in range(5)), "strength 0 is the original image"
    for row in range(5):
        assert (cell[row, 4] != clean).any(), names[row]
    fewest = cell[names.index("fewer samples"), 4]
    assert (fewest == 255).mean() > 0.4, "half of sixteen are left"
    assert curves(found).width > 800


def test_without_labels_or_another_set_some_distortions_are_left_out():
    few = check_sanity(IMAGES[:64], EXTRACTOR)
    assert few.notes == ("dropped modes are left out: they need labels",)
    assert len(few.curves) == 8 and few.count == 32
    assert all(math.isfinite(values[-1]) for values in few.curves["fewer samples"].values())
    plain = check_sanity(IMAGES[:64], Function(lambda x: extract(x).features, "no logits"))
    assert "is" not in plain.spread


def test_a_gallery_of_a_set_in_any_format(tmp_path):
    said = []
    config = EvaluationConfig(features="pixels", n=80, device="cpu")
    found = check_sample_set(Digits(), None, config, said.append, metrics=["kid"])
    assert found.count == 40 and "another set's images" in found.curves and not said
    x = np.repeat(IMAGES.numpy(), 3, axis=3)
    np.savez(tmp_path / "x.npz", images=x)
    source = str(tmp_path / "x.npz")
    config = EvaluationConfig(features=EXTRACTOR, n=80, device="cpu")
    found = check_sample_set(source, Digits(), config, said.append, metrics=["kid"])
    assert [*found.spread] == ["kid"]
    assert any("dropped modes are left out: they need labels" in sentence for sentence in said)
    np.savez(tmp_path / "f.npz", features=np.zeros((99, 3), np.float32))
    with pytest.raises(ValueError, match=r"f\.npz contains features, but --sanity needs images"):
        check_sample_set(str(tmp_path / "f.npz"), None, EvaluationConfig(device="cpu"), said.append)
    with pytest.raises(ValueError, match=r"a distortion gallery needs at least 64 uint8 images .* \(9, 28, 28, 1\)"):
        check_sample_set(Digits(), None, EvaluationConfig(features="pixels", n=9, device="cpu"), said.append)


def test_the_command_writes_the_gallery(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    monkeypatch.chdir(tmp_path)
    np.savez("x.npz", images=np.repeat(IMAGES.numpy(), 3, axis=3))
    words = ["evaluate", "--sanity", "x.npz", "Faces(count=20)", "--features", "pixels", "--n", "80"]
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert facts["out"] == "sanity" and (tmp_path / "sanity" / "sanity.html").is_file() and facts["n"] == 40
    done = CliRunner().invoke(app, [*words, "--metrics", "fid,kid", "--out", "here"])
    assert done.stdout.startswith("| distortion | fid | kid |\n") and (tmp_path / "here" / "gallery.png").is_file()
    refused = CliRunner().invoke(app, [*words, "--held-out", "x.npz"])
    assert "--sanity takes held-out samples from REAL; found --held-out x.npz" in str(refused.exception)
    refused = CliRunner().invoke(app, [*words, "--out", "here.json"])
    assert "--sanity writes images, scores and a page into a folder; found --out here.json" in str(refused.exception)
