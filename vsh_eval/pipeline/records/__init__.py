"""What is kept of a run and of a release, and what is held against it.

`registration` and `protocol` what was decided beforehand, `secret` what the noise hangs on,
`manifest` what a release holds, `closed` the years that are published, `earlier` last year's
release, `exchange` what authorities hand to one another, `up_to_date` whether anything changed.
"""
