"""`python -m benchmarks`: every benchmark with its defaults, one after another; results are in benchmarks/results."""

import subprocess
import sys

BENCHES = (
    "speed.overhead",
    "speed.speed",
    "quality.precision",
    "speed.packed",
    "speed.checkpoints",
    "speed.ranks",
    "speed.full_size",
    "speed.inception",
    "speed.frechet",
    "speed.memory",
    "quality.applications",
    "quality.latent",
    "quality.letters",
    "quality.hue",
    "quality.gallery",
)
for name in BENCHES:
    print(f"\n## {name}\n", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
