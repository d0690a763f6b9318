"""What codes, columns, tables and charts are called, and how numbers are written."""
