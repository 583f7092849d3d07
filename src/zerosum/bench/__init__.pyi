# Written by `make stubs`; do not edit.
"""Benchmarks: methods compared over seeds on data with known modes or constraints."""

from zerosum.bench import augmentation as augmentation
from zerosum.bench import augmentation_summary as augmentation_summary
from zerosum.bench import literature as literature
from zerosum.bench import modes as modes
from zerosum.bench import paired as paired
from zerosum.bench import parallel_runs as parallel_runs
from zerosum.bench import probes as probes
from zerosum.bench import sample_coverage as sample_coverage
from zerosum.bench import subprocesses as subprocesses
from zerosum.bench import summary as summary
from zerosum.bench.modes import Result as Result
from zerosum.bench.modes import SeededRun as SeededRun
from zerosum.bench.modes import default_games as default_games
from zerosum.bench.modes import plan as plan
from zerosum.bench.modes import real_coverage as real_coverage
from zerosum.bench.modes import run_games as run_games
from zerosum.bench.probes import ProbeResult as ProbeResult
from zerosum.bench.probes import ProbeScores as ProbeScores
from zerosum.bench.probes import probe_summary as probe_summary
from zerosum.bench.probes import probe_table as probe_table
from zerosum.bench.probes import probe_tasks as probe_tasks
from zerosum.bench.probes import rule_kept as rule_kept
from zerosum.bench.probes import run_probes as run_probes
from zerosum.bench.summary import mode_summary as mode_summary
from zerosum.bench.summary import mode_table as mode_table
from zerosum.bench.tasks import Task as Task
from zerosum.bench.tasks import on_task as on_task
from zerosum.bench.tasks import tasks as tasks
