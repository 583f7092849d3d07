"""The section of symptoms: a timeline, evidence with the span of the symptom, samples of that time, advice."""

from PIL import Image
from tests.diagnostics.ill_logs import ILL, WELL


def test_a_collapse_is_shown_over_time_with_its_evidence_samples_and_advice(run, make):
    run.path.mkdir()
    (run.path / "samples").mkdir()
    for images in (20_000, 40_000, 90_000):
        Image.new("L", (8, 8)).save(run.path / "samples" / f"{images:09d}.png")
    run.log = ILL
    page = run.report(make.generator(make.grey))
    assert page.count("section", id="symptoms") == 1
    assert "mode-collapse, since 40,000 images" in page.text
    assert page.count("figure", class_="timeline") == 1
    assert any(image["alt"] == "samples after 40,000 images" for image in page.all("img"))
    part = page.source[
        page.source.index('id="symptoms"') : page.source.index("</section>", page.source.index('id="symptoms"'))
    ]
    assert "opacity:.13" in part, "the time of the symptom is shaded in its evidence"
    assert "--set" in part and "Against" in part and "arXiv" in part


def test_a_healthy_run_has_what_is_normal(run, make):
    run.log = WELL
    text = run.report(make.generator(make.grey)).text
    assert "No symptom is left at the last check-up." in text and "Normal in this run" in text


def test_without_signals_there_is_no_section(run, make):
    assert run.report(make.generator(make.grey)).count("section", id="symptoms") == 0
