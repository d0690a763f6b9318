"""Estimators of an effect: imputation, random effects, absorbed regression, synthetic units."""
