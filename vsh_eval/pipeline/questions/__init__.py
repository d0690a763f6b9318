"""The questions that notebooks ask of a run, one module a page or an answer.

`gap_page` how wide a gap is, `impact` what training changed, `offer` what an authority's offer
changed by DfE's tables, `pool` what several authorities find together, `results` what the report's
first page says.
"""
