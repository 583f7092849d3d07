"""`python -m benchmarks`: every bench with its defaults, one after another; the results of record are in bench/*.md."""

import subprocess
import sys

BENCHES = (
    "overhead",
    "speed",
    "precision",
    "packed",
    "checkpoints",
    "ranks",
    "full_size",
    "inception",
    "frechet",
    "memory",
    "gallery",
)
for name in BENCHES:
    print(f"\n## {name}\n", flush=True)
    subprocess.run([sys.executable, "-m", f"bench.{name}"], check=True)
