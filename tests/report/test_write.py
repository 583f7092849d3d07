import json
import re

import numpy as np
import pytest
import torch

from zerosum._disk import replace_durably
from zerosum.data.conditions import conditions_of
from zerosum.data.sources.in_memory import InMemory
from zerosum.networks.mlp import MLPGenerator
from zerosum.report.write import write_report
from zerosum.runs.generator import TrainedGenerator, build_generator, generator_bytes

HOSTILE = '"><script>alert(1)</script><img src="https://example.org/x.png">'


def test_the_page_is_well_formed_and_self_contained(run, make):
    page = run.report(make.generator(make.grey))
    assert page.tags[0][0] == "html"
    links = [value for _, attributes in page.tags for key, value in attributes.items() if key in ("src", "href")]
    assert links and all(link.startswith(("data:image/png;base64,", "#")) for link in links)
    assert not re.search(r"https?:|@import|url\(|<script|<link|<iframe", page.source)
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy["content"].startswith("default-src 'none'")


def test_every_link_leads_to_a_section(run, make):
    page = run.report(make.generator(make.grey))
    sections = [section["id"] for section in page.all("section")]
    assert [link["href"] for link in page.all("a")] == [f"#{name}" for name in sections]
    assert sections == ["samples", "memory", "data", "curves", "recipe"]


def test_the_page_supports_phones_and_dark_mode(run):
    page = run.report()
    assert page.count("meta", name="viewport", content="width=device-width, initial-scale=1") == 1
    assert "prefers-color-scheme: dark" in page.source


def test_the_head_shows_progress_and_speed(run, make):
    run.log = [make.line(500, seconds=2.0), make.line(1000, seconds=151.0)]
    text = run.report(make.generator(make.grey)).text
    assert "Trained on 1,000 images in 2 min 31 s, at 7 images per second." in text
    assert "is not finished" not in text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.04 s"), (9.5, "9.5 s"), (59, "59 s"), (61, "1 min 01 s"), (7500, "2 h 05 min")]
)
def test_durations_are_formatted_in_their_two_largest_units(run, make, seconds, text):
    run.log = [make.line(1000, seconds=seconds)]
    assert f"in {text}," in run.report(make.generator(make.grey)).text


def test_an_unfinished_run_is_marked(run, make):
    run.log = [make.line(400)]
    assert "The run is not finished: it trains for 1,000 images." in run.report(make.generator(make.grey)).text


def test_a_run_without_results_has_a_page(run, make):
    run.log = []
    page = run.report()
    assert "Trained on 0 images." in page.text
    assert "The log has no lines yet" in page.text
    assert "No sample grid yet" in page.text
    assert "No samples were generated for this report" in page.text and "no checkpoint yet" in page.text
    assert "some-run" in page.text


def test_recipe_command_versions_and_scores_are_shown(run, make):
    run.path.mkdir()
    (run.path / "command.txt").write_text("zerosum train digits --seed 7\n")
    (run.path / "versions.json").write_text(json.dumps({"torch": "2.13.0", "threads": 2}))
    (run.path / "scores.json").write_text(json.dumps({"high_quality": 0.98765, "found": 25}))
    maker = make.generator(make.grey)
    page = run.report(maker)
    assert "zerosum train digits --seed 7" in page.text
    assert "torch 2.13.0 threads 2" in page.text
    assert "high quality 0.9877 found 25" in page.text
    assert any((run.path / "recipe.txt").read_text().strip() in text for text in page.texts)


def test_hostile_names_stay_text(run, make):
    run.path.mkdir()
    for name in ("recipe.txt", "command.txt"):
        (run.path / name).write_text(HOSTILE)
    for name in ("versions.json", "scores.json"):
        (run.path / name).write_text(json.dumps({HOSTILE: HOSTILE}))
    run.log = [make.line(**{HOSTILE: 1.0, f"D/{HOSTILE}": 2.0, "G/loss": 1.0})]
    maker = make.generator(lambda z, c: make.grey(z), classes=(HOSTILE, "b"), name=HOSTILE)
    page = run.report(maker)
    assert page.count("script") == 0
    assert all(image["src"].startswith("data:") for image in page.all("img"))
    assert page.texts.count(HOSTILE) >= 5  # title, heading, class, recipe, command
    assert f"generated: {HOSTILE}" in [image["alt"] for image in page.all("img")]


def test_hostile_names_of_conditions_stay_text(run, make):
    kind = conditions_of("x", np.stack([np.linspace(0, 1, 8), np.arange(8) % 3], 1), (HOSTILE, "b")).kind
    page = run.report(make.generator(lambda z, c: make.grey(z), kind=kind))
    assert page.count("script") == 0 and HOSTILE in page.texts
    assert all(image["src"].startswith("data:") for image in page.all("img"))


@pytest.mark.parametrize("content", ["[1]", "{", "[" * 100_000, '{"a": NaN}'])
def test_invalid_scores_raise_one_sentence(run, make, content):
    run.path.mkdir()
    (run.path / "scores.json").write_text(content)
    with pytest.raises(ValueError, match=r"scores\.json (should be a JSON object|is not valid JSON|is nested)"):
        run.report(make.generator(make.grey))


def test_the_generator_is_loaded_from_the_run(run, make):
    plain = make.recipe(generator=MLPGenerator(hidden=(8,)))
    module = build_generator(plain, (1, 4, 4)).eval()
    run.path.mkdir()
    trained = TrainedGenerator(plain, module, (1, 4, 4), 1000)
    # The data of this recipe is a class of the tests, which recipe text cannot name.
    saved = TrainedGenerator(make.recipe(generator=plain.generator, data=InMemory("few")), module, (1, 4, 4), 1000)
    replace_durably(run.path / "generator.safetensors", generator_bytes(saved))
    page = run.report()
    assert "Not shown: this run's data (few) was given in Python" in page.text
    page = make.Page(write_report(run.path, dataset=trained.recipe.data.open()).read_text())
    assert "Not shown" not in page.text
    assert page.count("img", alt="nearest training image") == 12


def test_a_report_replaces_the_one_before(run, make):
    run.report()
    first = (run.path / "report.html").read_text()
    run.log = [make.line(1000, k=0.5)]
    run.report()
    assert (run.path / "report.html").read_text() != first
    assert sorted(path.name for path in run.path.iterdir()) == ["log.jsonl", "recipe.txt", "report.html"]


def test_a_folder_that_is_not_a_run_is_refused(tmp_path, run):
    with pytest.raises(ValueError, match=r"is not a run folder: it has no recipe\.txt"):
        write_report(tmp_path)
    run.report()
    (run.path / "log.jsonl").write_text('nonsense\n{"images": 1}\n')
    with pytest.raises(ValueError, match=r"line 1 of .* is not JSON"):
        write_report(run.path)


def test_a_report_leaves_the_random_state_alone(run, make):
    before = torch.get_rng_state()
    run.report(make.generator(make.grey))
    assert torch.equal(torch.get_rng_state(), before)
