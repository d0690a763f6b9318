"""Array arithmetic: ratios, proportions and estimators on NumPy arrays that know no tables."""
