"""Estimators of an effect: imputation, random effects, synthetic units."""
