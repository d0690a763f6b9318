"""DfE's published tables, read into the panel that an authority's own returns make.

- `read_published`  a folder of published files -> `Published`: panel, areas, neighbours, files
- `combined`        the rows of a sum of groups (children with a social worker = cin + cpp)
- `fetch`           copies or downloads published files into a folder, with a manifest of hashes
- `example`         an invented release of a few lines, for documentation and tests

Inside, a module for a file: `cino` (absence, key stages 2 and 4 of children in need), `comparators`
(all pupils, and rates without counts, from the Local Authority Interactive Tool), `neighbours`;
`files` recognises them and keeps their releases apart, `symbols` reads DfE's symbols, `areas` their
codes.
"""

from vsh_eval.returns.published import example
from vsh_eval.returns.published.fetching import fetch
from vsh_eval.returns.published.group_sums import combined
from vsh_eval.returns.published.reader import Published, read_published

__all__ = ["Published", "combined", "example", "fetch", "read_published"]
