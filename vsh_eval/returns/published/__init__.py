"""DfE's published tables, read into the panel that an authority's own returns make.

- `read_published`  a folder of published files -> `Published`: panel, areas, neighbours, files
- `fetch`           copies or downloads published files into a folder, with a manifest of hashes

Inside: `release` recognises the files and keeps their releases apart; `cino` (absence, key stages 2
and 4 of children in need) and `comparators` (all pupils, and rates without counts, from the Local
Authority Interactive Tool) read one kind of file each; `symbols` reads DfE's symbols, `areas` the
codes and neighbours.
"""

from vsh_eval.returns.published.fetching import fetch
from vsh_eval.returns.published.release import Published, read_published
