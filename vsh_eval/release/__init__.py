"""Room 5: the one door out. Anything -> SafeTable -> figures, texts, files, pages.

disclosure   makes a table safe, or refuses it
text         every sentence, label and caption that a reader sees, as SafeText
figures      charts with their alternative text
pages        what a notebook shows, and the report's pages
files        open data, workbook, results.json, and the check of every released byte

Everything after `disclosure` takes a `SafeTable`, and pages take a `SafeText`, and nothing else.
"""

from vsh_eval.release import disclosure, figures, files, pages, text
from vsh_eval.release.disclosure import SafeTable
from vsh_eval.release.rows import last_year
from vsh_eval.release.text.phrases.labels import year_label
