"""What a machine reads, open data, workbook and results, and the check of every released file."""

from vsh_eval.release.files.egress import check
from vsh_eval.release.files.open_data import Area, read_table, write_table
from vsh_eval.release.files.results import write_results
from vsh_eval.release.files.workbook import write_workbook
