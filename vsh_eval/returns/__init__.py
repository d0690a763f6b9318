"""Room 1: the files an authority holds become checked tables.

Open a folder, look at the findings, go on only if the returns are sound:

>>> from pathlib import Path
>>> from vsh_eval.returns import check, open_returns, require_sound
>>> def sound(folder: Path) -> Returns:
...     returns = open_returns(folder)
...     require_sound(check(returns))
...     return returns

What each table must look like is `vsh_eval.contracts.RETURNS`. DfE's published files come in
through `vsh_eval.returns.published`.
"""

from vsh_eval.returns.checks import Expected, check, findings_of, require_sound, write_findings
from vsh_eval.returns.checks.joins import joins
from vsh_eval.returns.checks.published import check_published
from vsh_eval.returns.checks.verdicts import judge
from vsh_eval.returns.flow import coverage, flow, terms_missed
from vsh_eval.returns.folder import Returns, identifiers, open_returns, write_tables
from vsh_eval.returns.formats.families import paths_of
from vsh_eval.returns.profile import profile
