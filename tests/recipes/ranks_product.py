"""Play the product's games as one process and as several, and save what came; `test_ranks_product.py` starts this.

    python ranks_product.py FOLDER COUNTS [whole]

COUNTS are the numbers of processes, as 1,2,3.

The parts are those of `test_product.py`, found where the library finds them. There are three kinds of game, all on the
same few samples, of which each rank takes its rows:

- every objective with its choices, on perceptrons whose batch norm and minibatch discrimination tie samples together;
- every term as one of D's and of G's, where it can be, lazily, on the first networks that it plays on;
- every family of networks with a penalty; in the whole product with all its choices, and under every condition.

Layers that draw by themselves, as dropout, draw differently on each rank, and stand still here. ReLUs are smooth: at a
bend, a rounding decides on which side a number falls.
"""

import copy
import importlib.util
import itertools
import os
import sys
from dataclasses import replace
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors.torch import save_file
from torch import nn
from torch.nn.functional import avg_pool2d, silu

from zerosum.conditions import labels
from zerosum.game import Batch, ExponentialMovingAverage, Game, Player, Unrolled, own_rows
from zerosum.game.distributed import rank
from zerosum.networks.batch_norms import share_batch_norms
from zerosum.networks.layers import minibatch
from zerosum.networks.layers.noise import NoiseInjection
from zerosum.networks.minibatch import MinibatchDiscrimination
from zerosum.objectives import NonSaturating
from zerosum.terms import R1, AuxiliaryClass, DiscriminativeClass, Every

ROWS, ROUNDS = 12, 3  # rows divide by 2 and by 3 ranks, and each part by 2


def product():
    """The module `test_product.py`, which holds the parts."""
    path = Path(__file__).with_name("test_product.py")
    spec = importlib.util.spec_from_file_location("parts_of_the_product", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Steady(torch.optim.SGD):
    """Steps of one length, so that games of all scales move by as much."""

    def step(self):
        gradients = [p.grad for group in self.param_groups for p in group["params"]]
        length = torch.nn.utils.get_total_norm(gradients).clamp_min(1e-12)
        torch._foreach_div_(gradients, length)
        super().step()


def smooth(x, slope=0.0, inplace=False):
    return slope * x + (1 - slope) * silu(x)


def without_bends():
    """Let all networks be made with smooth functions."""
    nn.ReLU.forward = lambda self, x: smooth(x)
    nn.LeakyReLU.forward = lambda self, x: smooth(x, self.negative_slope)
    for name, module in [*sys.modules.items()]:
        if name.startswith("zerosum.networks."):
            for function in {"relu", "leaky_relu"} & vars(module).keys():
                setattr(module, function, smooth)
            if "max_pool2d" in vars(module):  # of two places nearly alike, rounding would choose
                module.max_pool2d = avg_pool2d
    minibatch.EPSILON = 1e-3  # the root of the variance of samples that are alike


def still(network):
    """The network without what it draws by itself."""
    for module in network.modules():
        if isinstance(module, nn.Dropout | NoiseInjection):
            module.eval()
        if "mixing" in vars(module):
            module.mixing = 0.0
    return network


def built(table, seed=0):
    """A table's networks D and G, alike at every call and on every rank."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        networks = table.networks()
    for network in networks:
        share_batch_norms(still(network))
    return networks


def Labels(count):
    """Labels of which some are not told."""
    return labels.Labels(count, nullable=True)


def batches(table):
    """This rank's rows of the table's batches."""
    for whole in table.batches():
        c = whole.c
        if table.kind is Labels:
            c[: len(c) // 3] = c.max() + 1  # so that ranks are told of unlike many
        yield Batch(own_rows(whole.x), c if c is None else own_rows(c), whole.position)


def game(table, latent, objective, d_terms=(), g_terms=(), **options):
    objective, terms = copy.deepcopy((objective, {"D": d_terms, "G": g_terms}))
    D, G = built(table)
    players = {}
    for side, network in (("D", D), ("G", G)):
        own = [*network.parameters()]
        optimiser = options.pop(f"{side}_optimiser", Steady)(own, 0.05) if own else None
        players[side] = Player(side, network, optimiser, tuple(terms[side]))
    updates = int(players["D"].optimiser is not None)
    players["D"].terms = players["D"].terms if updates else ()
    ema = ExponentialMovingAverage(G, 30)
    rest = {"latent": latent, "ema": ema, "n_critic": updates, "images_total": ROWS * ROUNDS}
    return Game(**players, objective=objective, **rest, **options)


def played(made, table):
    """All tensors of a game after its rounds, by name, and its losses; each with how far it went from the start."""
    tensors = {
        f"{side}.{name}": tensor
        for side, network in (("D", made.D.network), ("G", made.G.network), ("ema", made.ema.module))
        for name, tensor in network.state_dict().items()
    }
    before = {name: tensor.clone() for name, tensor in tensors.items()}
    stream, logs = batches(table), []
    for _ in range(ROUNDS):
        logs.append(made.step(stream))
    found = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    found |= {f"log{i}.{name}": log[name].detach().clone() for i, log in enumerate(logs) for name in log if "/" in name}
    moved = [(found[name].double() - old.double()).abs().max() for name, old in before.items() if name[0] == "G"]
    return found | {"moved": torch.stack(moved).max()}


def seats(parts):
    """For each side and term the first table where it plays along; nothing where it is not for that side."""
    ready, tables = {}, sorted(parts.TABLES, key=lambda table: (len(table.shape), table.way is not None))
    for side, term in itertools.product("DG", parts.TERMS):
        for table in tables:
            if str(table) not in ready:
                ready[str(table)] = opened(parts, table)
            if ready[str(table)] is None:
                continue
            sentence = refusal(ready[str(table)], side, term)
            if not sentence:
                yield side, term, table
            if not sentence or "_terms, not" in sentence:
                break


def opened(parts, table):
    """A game at a table, or None where networks refuse it or D has nothing to learn."""
    try:
        made = game(table, parts.LATENT, NonSaturating())
    except ValueError:
        return None
    return (made, next(batches(table))) if made.n_critic else None


def refusal(ready, side, term):
    made, batch = ready
    z, fake = made.generate(batch)
    player = made.D if side == "D" else made.G
    x, x_fake = batch.x.clone().requires_grad_(side == "D"), fake if side == "G" else fake.detach().requires_grad_()
    try:
        copy.deepcopy(term)(made.turn(player, batch, x, x_fake, z))
    except ValueError as error:
        return str(error)
    return ""


def games(parts, whole):
    """What to play, by name: networks, the objective, the terms and what else goes to the game."""
    plain = next(table for table in parts.TABLES if parts.family(table.D) == "MLP")
    comparing = replace(plain.D, norm="batch", minibatch=MinibatchDiscrimination(2, 2))
    plain = replace(plain, D=comparing, G=replace(plain.G, norm="batch"))
    variants = [variant for objective in parts.OBJECTIVES for variant in parts.variants(objective)]
    found = {f"objective {objective}": (plain, objective, {}) for objective in variants}
    unrolled = {"opponent": Unrolled(2), "D_optimiser": lambda own, rate: torch.optim.RMSprop(own, 1e-3, eps=0.1)}
    found |= {"unrolled": (plain, NonSaturating(), unrolled)}
    readers = {"Auxiliary": AuxiliaryClass(others=parts.CODE), "Discriminative": DiscriminativeClass()}
    for way, term in readers.items():
        told = next(t for t in parts.TABLES if str(t).startswith("MLP0") and f"{way}-Labels" in str(t))
        found[f"untold {way}"] = (told, NonSaturating(), {"d_terms": (term,), "g_terms": (term,)})
    for side, term, table in seats(parts):
        found[f"{side} {term}"] = (table, NonSaturating(), {f"{side.lower()}_terms": (Every(2, term),)})
    virtual = next(t for t in parts.TABLES if t.way is None and vars(t.D).get("norm") == "virtual")
    found["virtual"] = (virtual, NonSaturating(), {"d_terms": (R1(),)})
    for table in parts.TABLES:
        if whole or (table.whole and table.way is None):
            found[f"table {table}"] = (table, NonSaturating(), {"d_terms": (R1(),)})
    return found


def play(number, count, parts, todo, folder):
    """Play all games as one of `count` processes."""
    if count > 1:
        store = dist.FileStore(str(folder / f"meeting{count}"), count)
        dist.init_process_group("gloo", store=store, rank=number, world_size=count)
    found = {}
    for name, (table, objective, options) in todo.items():
        try:
            made = game(table, parts.LATENT, objective, **options)
        except ValueError:
            assert name.startswith("table ")  # networks that refuse these samples or this way of conditioning
            continue
        found |= {f"{name}: {key}": tensor for key, tensor in played(made, table).items()}
    if rank() == 0:
        save_file(found, folder / f"{count}.safetensors")
    if count > 1:
        dist.destroy_process_group()


def main(folder, counts, whole=""):
    """Play as each number of processes, all of them forks of this one, in which everything is loaded."""
    torch.set_num_threads(1)
    parts = product()
    parts.Table.batches.__globals__["BATCH"] = ROWS
    without_bends()
    todo = games(parts, bool(whole))
    for count in map(int, counts.split(",")):
        children = []
        for number in range(count):
            child = os.fork()
            if not child:
                play(number, count, parts, todo, Path(folder))
                os._exit(0)
            children.append(child)
        statuses = [os.waitpid(child, 0)[1] for child in children]
        if any(statuses):
            raise SystemExit(f"a rank of {count} failed")


if __name__ == "__main__":
    main(*sys.argv[1:])
