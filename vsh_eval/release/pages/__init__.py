"""What a reader opens: the notebook's output, the report's pages, their tables and key figures."""
