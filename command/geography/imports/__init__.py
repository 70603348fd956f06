"""Bringing a file in: read and judged apart, shown, put in force when somebody says so, and taken back.

One path for the page and the command line: a `Job` holds an uploaded file; `Imports` has it drafted by
`gis.intake` in a process of its own, and hands what was taken to the `Applier` of its kind.
"""

from command.geography.imports.appliers import KINDS, Applied, Applier, NothingTaken
from command.geography.imports.jobs import Job, Told
from command.geography.imports.office import Imports

__all__ = ["KINDS", "Applied", "Applier", "Imports", "Job", "NothingTaken", "Told"]
