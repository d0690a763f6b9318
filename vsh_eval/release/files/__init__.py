"""What a machine reads, open data, workbook and results, and the check of every released file."""
