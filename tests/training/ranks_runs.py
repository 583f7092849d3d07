"""Train by the command line as several processes, some of which come to grief; `test_ranks.py` starts this.

    python ranks_runs.py SCENES.json

The file holds a list of scenes: how many processes, the words of the command, further ones of a rank, and what happens
on which rank after how many rounds. For each scene the file gets how the processes ended, what they said, with a note
of each file that they opened for writing, moved or removed, and the seconds from the event to the last one's end. All
processes are forks of this one, in which everything is loaded; this one keeps the store by which they meet, as torchrun
does.
"""

import functools
import json
import math
import os
import shutil
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist

import zerosum.cli
import zerosum.training.ranks
from zerosum.game.game import Game
from zerosum.game.latents import Normal
from zerosum.recipes.optimisers import Adam

WRITING = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree"}
EVENTS = {"stop": signal.SIGTERM, "kill": signal.SIGKILL, "freeze": signal.SIGSTOP}


def watched(said):
    """Note in a file what this process does to files."""

    def hear(event, arguments):
        opened = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        path = str(arguments[0]) if opened or event in WRITING else ""
        if path.startswith("/") and not path.startswith("/dev/") and not path.endswith("/mark"):
            os.write(said, f"[{event}] {path}\n".encode())

    sys.addaudithook(hear)


def poisoned(rounds):
    """Let the latents of one round be no numbers."""
    step, draw, played = Game.step, Normal.draw, []

    def counted(game, batches):
        played.append(1)
        return step(game, batches)

    @functools.wraps(draw)
    def drawn(latent, count, generator):
        return draw(latent, count, generator) * (math.nan if len(played) == rounds else 1.0)

    Game.step, Normal.draw = counted, drawn


def happening(what, rounds, mark):
    """Let something happen to this process after some rounds."""
    if what == "poison":
        poisoned(rounds)
        return
    step, played = Game.step, []

    def counted(game, batches):
        log = step(game, batches)
        played.append(1)
        if len(played) == rounds:
            mark.write_text(str(time.time()))
            if what == "break":
                raise ValueError("this picture is broken")
            os.kill(os.getpid(), EVENTS[what])
        return log

    Game.step = counted


def child(scene, number, port, folder):
    """One process of a scene, which does not come back."""
    where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "TORCHELASTIC_USE_AGENT_STORE": "True"}
    me = {"RANK": str(number), "LOCAL_RANK": str(number), "WORLD_SIZE": str(scene["count"])}
    os.environ.update({**where, **me})
    said = os.open(folder / f"{number}", os.O_WRONLY | os.O_CREAT)
    os.dup2(said, 2)
    os.dup2(said, 1)
    if scene.get("what") and scene["rank"] == number:
        happening(scene["what"], scene["rounds"], folder / "mark")
    zerosum.training.ranks.STEP = timedelta(seconds=scene.get("patience", 60))
    watched(said)
    sys.argv = ["zerosum", *scene["words"], *scene.get("own", {}).get(str(number), [])]
    try:
        zerosum.cli.main()
        status = 0
    except SystemExit as ended:
        status = ended.code or 0
    sys.stderr.flush()
    os._exit(status)


def show(scene, folder):
    """Play a scene."""
    folder.mkdir()
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    children = []
    for number in range(scene["count"]):
        children.append(os.fork())
        if not children[-1]:
            child(scene, number, store.port, folder)
    ended = {}
    while len(ended) < len(children) - (scene.get("what") == "freeze"):
        pid, status = os.wait()
        ended[children.index(pid)] = os.waitstatus_to_exitcode(status)
    over = time.time()
    for number, pid in enumerate(children):
        if number not in ended:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    said = [(folder / str(number)).read_text() for number in range(scene["count"])]
    mark = folder / "mark"
    return {"ended": ended, "said": said, "seconds": over - float(mark.read_text()) if mark.exists() else None}


def main(path):
    torch.set_num_threads(1)
    sys.dont_write_bytecode = True
    Adam().build([torch.zeros(1, requires_grad=True)])  # loads much that forks then need not
    scenes = json.loads(Path(path).read_text())
    for i, scene in enumerate(scenes):
        scene["found"] = show(scene, Path(path).with_name(f"scene{i}"))
        if "copy" in scene:
            shutil.copytree(*scene["copy"])
        Path(path).write_text(json.dumps(scenes))


if __name__ == "__main__":
    main(sys.argv[1])
