# Written by `make stubs`; do not edit.
"""See why training fails: signals and symptoms of runs with advice, films, and games small enough to be drawn."""

from zerosum.diagnostics import advice as advice
from zerosum.diagnostics import course as course
from zerosum.diagnostics import densities as densities
from zerosum.diagnostics import examination as examination
from zerosum.diagnostics import films as films
from zerosum.diagnostics import history as history
from zerosum.diagnostics import patient as patient
from zerosum.diagnostics import portraits as portraits
from zerosum.diagnostics import remedies as remedies
from zerosum.diagnostics import rules as rules
from zerosum.diagnostics import scenes as scenes
from zerosum.diagnostics import signals as signals
from zerosum.diagnostics import stopping as stopping
from zerosum.diagnostics import symptom as symptom
from zerosum.diagnostics import symptoms as symptoms
from zerosum.diagnostics import tiny_games as tiny_games
from zerosum.diagnostics.advice import Advice as Advice
from zerosum.diagnostics.advice import advise as advise
from zerosum.diagnostics.course import Course as Course
from zerosum.diagnostics.densities import density_masses as density_masses
from zerosum.diagnostics.densities import optimal_discriminator as optimal_discriminator
from zerosum.diagnostics.diagnose import Diagnosis as Diagnosis
from zerosum.diagnostics.diagnose import diagnose as diagnose
from zerosum.diagnostics.examination import Examination as Examination
from zerosum.diagnostics.examination import examine as examine
from zerosum.diagnostics.films import film as film
from zerosum.diagnostics.patient import Patient as Patient
from zerosum.diagnostics.portraits import portrait as portrait
from zerosum.diagnostics.stopping import Stopping as Stopping
from zerosum.diagnostics.stopping import when_to_stop as when_to_stop
from zerosum.diagnostics.symptom import Symptom as Symptom
from zerosum.diagnostics.tiny_games import TinyGame as TinyGame
from zerosum.diagnostics.tiny_games import bilinear_game as bilinear_game
from zerosum.diagnostics.tiny_games import dirac_gan as dirac_gan
from zerosum.diagnostics.tiny_games import separated_game as separated_game
