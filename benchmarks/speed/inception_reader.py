"""Our Inception as a process that extracts features on request: the counterpart of `peer_torch_fidelity.py`.

python -m benchmarks.speed.inception_reader bfloat16 weights.pth images.npy features.npy --batch 64
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

from zerosum.features._networks import FORMATS
from zerosum.features.inception import Inception


def main() -> None:
    """Answer every line of the input with the seconds of one pass over the images."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("format", choices=FORMATS.values())
    for name in ("weights", "images", "features"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--batch", type=int, default=64)
    chosen = parser.parse_args()
    (dtype,) = (dtype for dtype, name in FORMATS.items() if name == chosen.format)
    extractor = Inception(chosen.weights, dtype=dtype)
    images = torch.from_numpy(np.load(chosen.images))
    for _ in sys.stdin:
        started = time.perf_counter()
        features = torch.cat([extractor(batch).features for batch in images.split(chosen.batch)])
        seconds = time.perf_counter() - started
        np.save(chosen.features, features.numpy())
        print(json.dumps({"seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
