"""The sentences of each page of the report."""
