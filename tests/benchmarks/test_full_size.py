"""The benchmark of published networks, with the smallest ones."""

import json
import time

import pytest
import torch
from benchmarks.speed import full_size, full_size_games
from benchmarks.speed.full_size_games import GAMES, Play, games
from benchmarks.turns import player

from zerosum.conditions.labels import Labels
from zerosum.runs.stored_condition import condition_of

CPU = torch.device("cpu")
COUNTS = {"parameters G": 5_000_000, "parameters D": 70_000}
FULL = {full.name: full for full in games([])}


def counts(full):
    """Parameters of G and D."""
    condition = condition_of(full.recipe, Labels(full.classes) if full.classes else None)
    with torch.device("meta"):
        G = full.recipe.generator.build(full.recipe.latent.size, full.shape, condition)
        D = full.recipe.discriminator.build(full.shape, condition)
    return tuple(sum(p.numel() for p in network.parameters()) for network in (G, D))


def test_the_networks_are_those_of_the_papers():
    found = {name: counts(full) for name, full in FULL.items()}
    assert found["stylegan2"] == (30_034_338, 28_864_129)
    assert found["r3gan"] == (20_732_160, 20_683_776 + 1), "and the bias of the score"
    assert found["dcgan"] == (3_576_704 + 3, 2_765_568 + 65), "and the biases of the layers without batch norm"
    millions = {name: tuple(round(n / 1e6, 1) for n in found[name]) for name in ("gat", "sagan", "sngan", "fastgan")}
    assert millions == {"gat": (116.7, 85.9), "sagan": (42.1, 30.1), "sngan": (4.3, 1.1), "fastgan": (29.1, 11.5)}


@pytest.mark.parametrize("name", GAMES)
def test_every_network_is_measured_in_all_that_makes_sense_of_it(name):
    (full,) = games([name], 4)
    play = Play(full, "bfloat16", CPU)
    facts = play.facts()
    penalised = {"stylegan2": "DG", "r3gan": "D", "gat": "DG", "fastgan": "D"}.get(name, "")
    assert [word[0] for word in facts["measured"] if word.endswith("with terms")] == [*penalised]
    assert (facts["terms"] == "none") == (not penalised)
    for word in facts["measured"]:
        found = play.measure(word)
        assert found["seconds"] > 0 and found["megabytes"] >= 0
    assert (play.game.D.updates, play.game.G.updates) == (1 + ("D" in penalised), 1 + ("G" in penalised))
    assert play.game.G.network.training


def test_terms_act_when_they_are_asked_for_and_lazy_ones_at_once(monkeypatch):
    (full,) = games(["stylegan2"], 4)
    play = Play(full, "float32", CPU)
    logs = []
    for side in ("update_D", "update_G"):
        update = getattr(play.game, side)
        monkeypatch.setattr(play.game, side, lambda batch, update=update: logs.append(update(batch)))
    for word in ("D", "D with terms", "D with terms", "G", "G with terms"):
        play.measure(word)
    acted = [[name for name in log if name in ("D/R1", "G/PathLength")] for log in logs]
    assert acted == [[], ["D/R1"], ["D/R1"], [], ["G/PathLength"]]
    assert all(log["D/R1"] > 0 for log in logs[1:3])


def test_memory_is_a_high_water_mark():
    before = full_size_games.high_water(CPU)
    # More than can lie free below a mark that earlier tests have left.
    held = torch.ones(before // 4 + 64 * 2**20)
    rise = full_size_games.high_water(CPU) - before
    del held
    assert rise > 0.9 * 256 * 2**20 and full_size_games.high_water(CPU) >= before + 0.9 * rise


def test_the_two_formats_take_turns_and_the_first_measurement_does_not_count(monkeypatch):
    asked = []
    seconds = {"float32": iter([9.0, 0.4, 0.2, 0.3] * 2), "bfloat16": iter([9.0, 0.1, 0.1, 0.1] * 2)}

    class Stub:
        def __init__(self, command):
            self.precision = command[4]

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

        def ask(self, word):
            if word == "facts":
                return {"batch": 2, "terms": "none", "measured": ["sample", "G"], **COUNTS}
            asked.append((word, self.precision))
            return {"seconds": next(seconds[self.precision]), "megabytes": float(len(asked))}

    monkeypatch.setattr(full_size, "player", Stub)
    monkeypatch.setattr(full_size, "has_bfloat16", lambda device: True)
    rows = full_size.measure(FULL["dcgan"], "cpu", 3, None)
    assert [row["sample"] for row in rows] == [150.0, 50.0] and [row["G"] for row in rows] == [150.0, 50.0]
    assert [precision for word, precision in asked if word == "G"] == [
        "bfloat16", "float32", "float32", "bfloat16", "bfloat16", "float32", "float32", "bfloat16",
    ]  # fmt: skip
    assert max(row["megabytes"] for row in rows) == len(asked) == 16
    row = full_size.cells(rows[0])
    assert len(row) == len(full_size.HEAD) and row[3:8] == ("", "", "150", "", "150")
    assert row[-3:] == ("15", "5.00 M", "0.07 M")
    monkeypatch.setattr(full_size, "has_bfloat16", lambda device: False)
    monkeypatch.setattr(full_size, "LONG", 0.05)
    seconds["float32"] = iter([9.0, 0.1] * 2)
    assert [row["format"] for row in full_size.measure(FULL["dcgan"], "cpu", 3, None)] == ["float32"], "and briefly"


def test_the_command_measures_in_processes_of_its_own_and_prints_a_trial(capsys, forks):
    started = time.perf_counter()
    assert full_size.main(["dcgan", "--size", "4", "--repeats", "1", "--device", "cpu"]) == 0
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in err.splitlines()]
    assert all(0 < row["D"] < 1000 * (time.perf_counter() - started) and row["megabytes"] > 0 for row in rows)
    assert "| dcgan | 16 | float32 |" in out and "the networks at 64x64 (size 64), shrunk; terms: none" in out


def test_a_game_that_ends_early_and_a_unknown_name_are_reported(capsys, monkeypatch, forks):
    assert full_size.main(["pix2pix"]) == 1
    assert "'pix2pix' is not measured at full size; available are stylegan2, r3gan" in capsys.readouterr().err
    command = full_size.command("dcgan", "float32", "nonsense", 4)
    with player(command) as one, pytest.raises(ValueError, match="a process ended with 1 when it was asked for 'facts"):
        one.ask("facts")


def test_times_have_four_digits_and_no_exponent():
    assert [full_size._digits(x) for x in (2.27211, 56.374, 427.96, 11590.2)] == ["2.272", "56.37", "428", "11,590"]
