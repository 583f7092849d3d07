"""torch-fidelity's InceptionV3 as a process that extracts features on request.

    .venv-peers/bin/python benchmarks/peers/peer_torch_fidelity.py weights.pth images.npy features.npy --batch 64

Run by benchmarks/speed/inception.py with the Python of `make peers`; it does not import zerosum. For each line of
its input it processes all images once, writes the features at `2048`, and answers with the seconds.
"""

import argparse
import importlib
import importlib.util
import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch


def library() -> Any:
    """Return the module of torch-fidelity that contains the network.

    The package itself imports torchvision, which is not available for every build of torch, and which the network
    does not need.
    """
    package = ModuleType("torch_fidelity")
    spec = importlib.util.find_spec("torch_fidelity")
    assert spec is not None and spec.submodule_search_locations is not None
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["torch_fidelity"] = package
    return importlib.import_module("torch_fidelity.feature_extractor_inceptionv3")


def main() -> None:
    """Answer every line of the input with the seconds of one pass over the images."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("weights", "images", "features"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--batch", type=int, default=64)
    chosen = parser.parse_args()
    network = library().FeatureExtractorInceptionV3(
        "inception-v3-compat", ["2048"], feature_extractor_weights_path=str(chosen.weights)
    )
    images = torch.from_numpy(np.load(chosen.images)).permute(0, 3, 1, 2).contiguous()
    for _ in sys.stdin:
        started = time.perf_counter()
        with torch.no_grad():
            features = torch.cat([network(batch)[0] for batch in images.split(chosen.batch)])
        seconds = time.perf_counter() - started
        np.save(chosen.features, features.numpy())
        print(json.dumps({"seconds": seconds, "version": version("torch-fidelity")}), flush=True)


if __name__ == "__main__":
    main()
