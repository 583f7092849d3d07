"""The distortion gallery: what is spoilt is noticed by what should notice it, and the rest is honestly blind."""

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
from zerosum.evaluation.sanity.corruption import like, of_sets
from zerosum.evaluation.sanity.detection import STRENGTHS, Sanity, check_sanity
from zerosum.evaluation.sanity.distortions import gaussian_noise
from zerosum.evaluation.sanity.gallery_page import curves, gallery, sanity_table, write_sanity
from zerosum.evaluation.sanity.of_sets import sanity_of
from zerosum.features.extractor import Features, Function
from zerosum.metrics.frechet import frechet_distance

DRAW = torch.Generator().manual_seed(0)
LABELS = torch.arange(320) % 4
SPLIT = torch.randn(108, 10, generator=DRAW)


def images():
    """Four kinds of pictures that differ in where they are light."""
    x = torch.randint(30, 90, (320, 6, 6, 1), dtype=torch.uint8, generator=DRAW)
    for one, kind in enumerate(LABELS.tolist()):
        x[one, 3 * (kind // 2) : 3 * (kind // 2) + 3, 3 * (kind % 2) : 3 * (kind % 2) + 3] += 120
    return x


IMAGES = images()


def look(x):
    flat = x.float().flatten(1) / 64
    quarters = torch.nn.functional.avg_pool2d(x.float().permute(0, 3, 1, 2), 3).flatten(1) / 12
    return Features(flat @ SPLIT[: flat.shape[1]], quarters)


EYES = Function(look, "eyes")


@pytest.fixture(scope="module")
def found():
    other = torch.randint(256, (50, 8, 8, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(5))
    seen = []
    made = check_sanity(IMAGES, EYES, LABELS, other, seed=1, batch=50, progress=lambda *told: seen.append(told))
    counts = [done for done, _ in seen]
    assert counts == sorted(counts) and seen[-1] == (320 + 50 + 4 * 5 * 160,) * 2
    return made


def test_every_score_is_told_of_every_distortion_at_every_strength(found):
    known = {name: info for kind in measure_kinds().values() for name, info in kind().gives.items()}
    left_out = {
        "cas",
        "intra-fid",
        "memorisation-closer",
        "memorisation-p",
    }  # of images and labels; without a worse way
    assert [*found.spread] == [*found.infos] == [name for name in known if name not in left_out]
    assert [*found.curves] == [*found.pictures] and len(found.curves) == 10
    for scores in found.curves.values():
        assert [*scores] == [*found.spread]
        assert all(len(values) == len(STRENGTHS) and np.isfinite(values).all() for values in scores.values())
    firsts = {tuple(values[0] for values in scores.values()) for scores in found.curves.values()}
    assert len(firsts) == 1, "strength 0 is the same for all"
    assert all(deviation > 0 for deviation in found.spread.values())
    averaged = {name for name, scores in found.errors.items() if any(any(values) for values in scores.values())}
    assert averaged == {"fewer samples"} and found.errors["fewer samples"]["fid"][0] == 0


def test_a_curve_is_the_score_of_the_spoilt_half(found):
    order = torch.randperm(320, generator=torch.Generator().manual_seed(1))
    real, spoilt = IMAGES[order[:160]], IMAGES[order[160:]]
    for place, strength in enumerate(STRENGTHS):
        noisy = gaussian_noise(spoilt, strength, 1)
        truth = frechet_distance(look(real).features, look(noisy).features)
        assert found.curves["Gaussian noise"]["fid"][place] == pytest.approx(truth, rel=1e-6)


def test_each_score_notices_what_it_should_and_no_more(found):
    notice = found.notice
    assert notice("Gaussian noise", "fid").worse is not None and notice("salt and pepper", "precision").worse
    assert notice("dropped modes", "recall").worse is not None and notice("dropped modes", "is").worse is not None
    assert notice("dropped modes", "precision").worse is None
    assert notice("repeated samples", "coverage").worse is not None
    copied = {score: notice("memorised training", score) for score in found.spread}
    assert copied["memorisation"].worse is not None and copied["fid"].worse is None
    assert copied["coverage"].worse is None and found.curves["memorised training"]["fid"][-1] < 1e-6
    assert notice("fewer samples", "fid").worse is not None and notice("fewer samples", "kid").worse is None


def made_up(values, deviation, score="fid", error=0.0):
    strengths, errors = STRENGTHS[: len(values)], (0.0, *(error for _ in values[1:]))
    curves = ({"it": {score: tuple(values)}}, {"it": {score: errors}})
    info = {"fid": ScoreInfo("lower", ""), "recall": ScoreInfo("higher", "")}.get(
        score, ScoreInfo("", "", alarm="lower")
    )
    return Sanity(9, {}, strengths, {score: deviation}, *curves, {"it": ()}, {score: info})


def test_a_notice_goes_by_three_deviations_in_the_worse_direction_and_has_to_last():
    assert made_up([5, 36, 34, 36, 45], 10).notice("it", "fid").worse == 0.75
    assert made_up([5, 5, 5, 5, 34], 10).notice("it", "fid").worse is None
    assert made_up([5, 5, 5, 5, 45], 10, error=10).notice("it", "fid").worse is None, "3 x 14.1 is more than 40"
    down = made_up([50, 10, 10, 10, 10], 10, "recall").notice("it", "recall")
    assert down.worse == 0.25 and not down.praised
    up = made_up([50, 90, 10, 10, 10], 10, "recall").notice("it", "recall")
    assert up.worse == 0.5 and up.praised
    assert not made_up([0, 90], 1, "memorisation").notice("it", "memorisation").praised
    assert made_up([50, 90, 10], 10, "recall").moved("it", "recall") == (0, -4, 4)


def test_sets_are_spoilt_in_pictures_as_in_features():
    train, other = IMAGES[:160], 255 - IMAGES[:20]
    inside = of_sets(look(train).features, LABELS[160:], look(other).features)
    for name, distort in of_sets(train, LABELS[160:], other).items():
        spoilt = look(distort(IMAGES[160:], 0.5, 3)).features
        assert torch.allclose(inside[name](look(IMAGES[160:]).features, 0.5, 3), spoilt, atol=1e-4)
    assert "dropped modes" not in of_sets(train, None, other)
    assert [*of_sets(train, None, None)] == ["repeated samples", "memorised training", "fewer samples"]
    assert len(of_sets(train, None, None)["fewer samples"](torch.zeros(160, 2), 1.0, 0)) == 8
    assert len(of_sets(train, None, None)["fewer samples"](torch.zeros(3_200, 2), 1.0, 0)) == 100


def test_another_set_is_brought_to_the_same_shape():
    white = torch.full((2, 9, 5, 1), 255, dtype=torch.uint8)
    assert torch.equal(like(white, torch.zeros(1, 12, 7, 3)), torch.full((2, 12, 7, 3), 255, dtype=torch.uint8))
    colours = torch.tensor([0, 60, 240], dtype=torch.uint8).expand(1, 4, 4, 3)
    assert like(colours, torch.zeros(1, 8, 8, 1)).unique().tolist() == [100]


def test_the_metrics_may_be_chosen_and_have_to_go_by_features():
    def width(real, fake):
        return float(fake.std())

    few = check_sanity(IMAGES[:64], EYES, metrics=("kid", FunctionMeasure(width, better="higher")))
    assert [*few.spread] == ["kid", "width"] and few.infos["width"].worse == "lower"
    with pytest.raises(ValueError, match="are scored by metrics of features, logits, moments; cas needs more"):
        check_sanity(IMAGES[:64], EYES, metrics=("cas",))


def test_it_is_written_as_pictures_numbers_and_a_page(found, tmp_path):
    files = write_sanity(tmp_path / "out", found)
    assert {file.name for file in files} == {"gallery.png", "curves.png", "sanity.json", "sanity.html"}
    told = json.loads((tmp_path / "out" / "sanity.json").read_text())
    assert told["n"] == 160 and told["notices"]["swirl"].keys() == found.spread.keys()
    assert told["curves"]["swirl"]["kid"] == list(found.curves["swirl"]["kid"])
    page = (tmp_path / "out" / "sanity.html").read_text()
    assert page.count("data:image/png;base64,") == 2 and "by eyes features" in page and "dropped modes" in page
    with Image.open(tmp_path / "out" / "gallery.png") as picture:
        assert picture.size == gallery(found).size and len(picture.convert("RGB").getcolors(10_000)) <= 96
    assert (tmp_path / "out" / "curves.png").stat().st_size < 80_000
    table = sanity_table(found).splitlines()
    assert table[0] == f"| what is wrong | {' | '.join(found.spread)} |"
    assert len(table) == 12 and len({line.count("|") for line in table}) == 1
    assert "praises" in next(line for line in table if line.startswith("| memorised training |"))


def test_the_gallery_shows_what_was_done(found):
    sheet = np.asarray(gallery(found)).astype(int)
    cell = {place: sheet[18 + 67 * row : 82 + 67 * row, 132 + 67 * column : 196 + 67 * column]
            for row, _ in enumerate(found.pictures) for column in range(5) for place in [(row, column)]}  # fmt: skip
    names = [*found.pictures]
    clean = cell[0, 0]
    assert all((cell[row, 0] == clean).all() for row in range(5)), "strength 0 is the picture itself"
    for row in range(5):
        assert (cell[row, 4] != clean).any(), names[row]
    fewest = cell[names.index("fewer samples"), 4]
    assert (fewest == 255).mean() > 0.4, "half of sixteen are left"
    assert curves(found).width > 800


def test_without_labels_or_another_set_there_is_less():
    few = check_sanity(IMAGES[:64], EYES)
    assert few.notes == ("without labels there are no modes to drop",)
    assert len(few.curves) == 8 and few.count == 32
    assert all(math.isfinite(values[-1]) for values in few.curves["fewer samples"].values())
    plain = check_sanity(IMAGES[:64], Function(lambda x: look(x).features, "no logits"))
    assert "is" not in plain.spread


def test_a_side_is_any_side_of_pictures(tmp_path):
    said = []
    found = sanity_of(Digits(), None, EvaluationConfig(features="pixels", n=80, device="cpu"), said.append)
    assert found.count == 40 and "another set's pictures" in found.curves and not said
    x = np.repeat(IMAGES.numpy(), 3, axis=3)
    np.savez(tmp_path / "x.npz", images=x)
    found = sanity_of(
        str(tmp_path / "x.npz"), Digits(), EvaluationConfig(features=EYES, n=80, device="cpu"), said.append
    )
    assert any("without labels there are no modes to drop" in sentence for sentence in said)
    np.savez(tmp_path / "f.npz", features=np.zeros((99, 3), np.float32))
    with pytest.raises(ValueError, match=r"f\.npz holds no pictures that could be spoilt, but features"):
        sanity_of(str(tmp_path / "f.npz"), None, EvaluationConfig(device="cpu"), said.append)
    with pytest.raises(
        ValueError, match=r"a gallery of distortions takes 64 or more uint8 pictures .* \(9, 28, 28, 1\)"
    ):
        sanity_of(Digits(), None, EvaluationConfig(features="pixels", n=9, device="cpu"), said.append)


def test_the_command_writes_it(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    monkeypatch.chdir(tmp_path)
    words = ["evaluate", "--sanity", "Digits()", "Faces(count=50)", "--features", "pixels", "--n", "80"]
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["out"] == "sanity" and (tmp_path / "sanity" / "sanity.html").is_file() and told["n"] == 40
    done = CliRunner().invoke(app, [*words, "--out", "here"])
    assert done.stdout.startswith("| what is wrong | fid |") and (tmp_path / "here" / "gallery.png").is_file()
    refused = CliRunner().invoke(app, [*words, "--out", "here.json"])
    assert "--sanity writes images, scores and a page into a folder; found --out here.json" in str(refused.exception)
