-- The pupils and sums of every school, group, stratum and metric of a year, for each family of
-- strata. These rows never leave the room: some are about a single child.
SELECT
    o.cells - 3 AS family,
    o.place AS unit_number,
    o.group_code,
    o.code,
    o.stratum,
    o.pupils,
    o.numerator,
    o.denominator
FROM cohort_outcomes o
WHERE o.cells > 3
