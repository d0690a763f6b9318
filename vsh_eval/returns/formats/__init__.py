"""The files that authorities hold, read into the tables of the contract; one module a family.

To add a family: one row of ``FAMILIES``, one key of `vsh_eval.settings.Files`, and one module with

``read(paths: Sequence[Path], *, options: Options) -> Reading``

which matches columns and elements by name, never by position, and lists what changed from one
collection year to the next as data. What a reader leaves out or cannot know it says in a note: a
code and its numbers, for which `vsh_eval.release.text.findings.files` has the sentence.
"""

from vsh_eval.returns.formats.families import FAMILIES, read_files
from vsh_eval.returns.formats.reading import Options, Reading, counted, note
