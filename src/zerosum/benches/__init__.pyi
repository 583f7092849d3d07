# Written by `make stubs`; do not edit.
"""Benches: games compared over seeds, on sets whose truth is known."""

from zerosum.benches import board as board
from zerosum.benches import children as children
from zerosum.benches import literature as literature
from zerosum.benches import modes as modes
from zerosum.benches import playing as playing
from zerosum.benches import probes as probes
from zerosum.benches import reading as reading
from zerosum.benches import summary as summary
from zerosum.benches.board import Board as Board
from zerosum.benches.board import boards as boards
from zerosum.benches.board import on_board as on_board
from zerosum.benches.modes import Cell as Cell
from zerosum.benches.modes import Result as Result
from zerosum.benches.modes import plan as plan
from zerosum.benches.modes import play as play
from zerosum.benches.modes import real_coverage as real_coverage
from zerosum.benches.modes import usual_games as usual_games
from zerosum.benches.probes import Kept as Kept
from zerosum.benches.probes import ProbeResult as ProbeResult
from zerosum.benches.probes import play_probes as play_probes
from zerosum.benches.probes import probe_boards as probe_boards
from zerosum.benches.probes import probe_summary as probe_summary
from zerosum.benches.probes import probe_table as probe_table
from zerosum.benches.probes import rule_kept as rule_kept
from zerosum.benches.summary import markdown as markdown
from zerosum.benches.summary import summed_up as summed_up
