"""Running the notebooks: `dag` in which order, `engine` one of them, `kernels` in what process.

`many` runs several params files, `log` says what a run did.
"""
