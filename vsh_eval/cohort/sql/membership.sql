-- One row per pupil who has, or had in the look-back, a social worker, under the run's own rule or
-- the other one; everybody else is a peer under both.
-- Group: 1 looked after, 2 protection plan, 3 in need, 4 previous, 5 peer. The highest counts.
-- ever = 1: a status of the look-back counts as if it were held now.
SELECT
    n.pupil,
    MIN(n.group_code) AS group_code,
    MIN(n.other_code) AS other_code
FROM (
    SELECT
        s.pupil,
        CASE WHEN s.last_year >= {year} OR {ever} = 1 THEN s.group_code ELSE 4 END AS group_code,
        5 AS other_code
    FROM cohort_spans_0 s
    WHERE
        s.first_year <= s.last_year
        AND s.first_year <= {year}
        AND s.last_year >= {year} - {look_back}
    UNION ALL
    SELECT
        s.pupil,
        5 AS group_code,
        CASE WHEN s.last_year >= {year} OR {other_ever} = 1 THEN s.group_code ELSE 4 END
            AS other_code
    FROM cohort_spans_1 s
    WHERE
        s.first_year <= s.last_year
        AND s.first_year <= {year}
        AND s.last_year >= {year} - {look_back}
) n
GROUP BY n.pupil
