"""`python -m bench`: every bench with its defaults, one after another; the results of record are in bench/*.md."""

import subprocess
import sys

for name in ("overhead", "full_size", "inception", "frechet", "memory", "packed", "checkpoints", "gallery"):
    print(f"\n## {name}\n", flush=True)
    subprocess.run([sys.executable, "-m", f"bench.{name}"], check=True)
