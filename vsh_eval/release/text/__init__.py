"""Sentences made from safe tables, right whichever way the numbers fall; one module a subject."""
