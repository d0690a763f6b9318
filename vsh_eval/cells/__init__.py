"""Cells: one metric's sums by area, phase and year, exact, protected or published.

- `level`: one group's level in each cell, differences and ratios of two levels.
- `exact`: an authority's own schools, summed; protected where a shield stands before them.
- `published`: DfE's published figures.
- `shield`: what may stand between exact sums and what is shown of them.
- `tables`: how measured cells become tables.
"""
