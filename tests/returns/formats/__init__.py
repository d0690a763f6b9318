"""Readers of the files that authorities hold."""
