"""Which school a file means by a URN, a LAESTAB, an establishment number or a name."""

import re
from collections.abc import Mapping

import pandas as pd

from vsh_eval.returns.formats.reading import Options
from vsh_eval.returns.reorganised import predecessors, same_area

_WORDS: Mapping[str, str] = {
    "st": "saint",
    "ste": "saint",
    "&": "and",
    "c": "church",
    "e": "england",
    "ce": "church england",
    "cofe": "church england",
    "rc": "roman catholic",
    "jnr": "junior",
    "inf": "infant",
    "infants": "infant",
    "juniors": "junior",
    "pri": "primary",
    "sch": "school",
    "acad": "academy",
}
_EMPTY_WORDS = frozenset({"the", "of", "school", "and"})
NEAR = 85.0
"""How alike a name must be to be proposed, from 0 to 100 (rapidfuzz's token sort ratio)."""


def find(written: pd.Series, on: pd.Series, options: Options) -> pd.Series:
    """Find the URN of every school that a file names.

    Parameters
    ----------
    written : Series of str
        A URN (six digits), a LAESTAB (seven, with or without a sign in between), an establishment
        number (four; of the authority) or a school's name.
    on : Series of datetime, same index
        A day on which the school was meant; a LAESTAB and a name outlive their URN. NaT: any.
    options : Options
        The reference of GIAS, without which only a URN is found; and the authority, whose schools
        are those of names and establishment numbers.

    Returns
    -------
    Series of str
        The URN; NA where no school fits or several do. A six-digit number is taken as it is.
        Of the schools that have had a LAESTAB or a name it is the one open on the day, else the
        one that opened last before it, else the first.

    Examples
    --------
    >>> gias = pd.DataFrame({
    ...     "urn": ["121669", "141930"], "laestab": "8154000", "la_code": "E10000023",
    ...     "name": ["St. Mary's School", "St Mary's Academy"],
    ...     "opened": pd.to_datetime([None, "2015-04-01"]),
    ...     "closed": pd.to_datetime(["2015-03-31", None])})
    >>> written = pd.Series(["815/4000", "815/4000", "Saint Mary's Academy", "900123", "Elm"])
    >>> on = pd.to_datetime(pd.Series(["2014-10-01", "2016-01-01", "2016-01-01", None, None]))
    >>> options = Options(references={"establishments": gias})
    >>> find(written, on, options).tolist()
    ['121669', '141930', '141930', '900123', nan]
    """
    requested = pd.DataFrame({"written": written.astype("str").fillna(""), "on": on})
    distinct = requested.drop_duplicates().assign(key=lambda t: t["written"].map(_key))
    plain = distinct["key"].str.fullmatch(r"\d{6}").astype("bool")
    urns = distinct["key"].where(plain)
    if "establishments" in options.references:
        urns = urns.fillna(_nearest(distinct[~plain], _keyed(options)))
    answers = requested.merge(distinct.assign(urn=urns), on=["written", "on"], how="left")["urn"]
    return answers.set_axis(written.index).astype("str")


def placed(table: pd.DataFrame, on: pd.Series, options: Options) -> tuple[pd.DataFrame, int]:
    """Write the URN into a table whose ``urn`` is a school as written; one not found stays.

    Returns
    -------
    table : DataFrame
        With URNs.
    not_found : int
        How many of its rows have a school that is not found.
    """
    urns = find(table["urn"], on, options)
    return table.assign(urn=urns.fillna(table["urn"])), int(urns.isna().sum())


def placed_in_january(table: pd.DataFrame, options: Options) -> pd.DataFrame:
    """Write URNs as `placed` does, a school being meant in January of the ``academic_year``."""
    on = (table["academic_year"] // 100 + 1).astype("str") + "-01-15"
    return placed(table, pd.to_datetime(on, errors="coerce"), options)[0]


def propose(name: str, options: Options) -> str:
    """Return the school whose name is nearest to one that fits none; '' where none is near.

    It is for a person to decide: nothing is ever matched by it.

    Examples
    --------
    >>> gias = pd.DataFrame({"urn": ["1", "2"], "name": ["Ashbank Primary", "Elm High"],
    ...                      "la_code": "E1"})
    >>> options = Options(references={"establishments": gias})
    >>> propose("Ashbank Primry School", options), propose("Oak", options)
    ('Ashbank Primary (URN 1)', '')
    """
    from rapidfuzz import fuzz, process

    if "establishments" not in options.references:
        return ""
    rows = _own(options)
    names = [_name(text) for text in rows["name"].astype("str")]
    # pyrefly: ignore[no-matching-overload]
    best = process.extractOne(_name(name), names, scorer=fuzz.token_sort_ratio, score_cutoff=NEAR)
    if best is None:
        return ""
    row = rows.iloc[best[2]]
    return f"{row['name']} (URN {row['urn']})"


def _own(options: Options) -> pd.DataFrame:
    every = options.references["establishments"]
    codes = (*same_area(options.authority), *predecessors(options.authority))
    return every[every["la_code"].isin(codes)] if options.authority else every


def _key(written: str) -> str:
    """Return digits for a number of a school, words for its name, '' for a blank."""
    bare = re.sub(r"\.0$", "", written.strip())
    digits = re.sub(r"[\s/-]", "", bare)
    return digits if digits.isdigit() else _name(bare)


def _name(written: str) -> str:
    """Return a school's name without case, signs, empty words and ways to shorten."""
    words = re.findall(r"[^\W_]+|&", re.sub(r"['`.\u2019]", "", written.casefold()))
    full = " ".join(_WORDS.get(word, word) for word in words).split()
    return " ".join(word for word in full if word not in _EMPTY_WORDS)


def _keyed(options: Options) -> pd.DataFrame:
    """Return every key that an establishment may be written by."""
    establishments, own = options.references["establishments"], _own(options)
    keys = [
        establishments.assign(key=establishments["laestab"].astype("str")),
        own.assign(key=own["laestab"].astype("str").str[3:]),
        own.assign(key=own["name"].astype("str").map(_name)),
    ]
    columns = ["key", "urn", "opened", "closed"]
    return pd.concat([rows[columns] for rows in keys]).drop_duplicates(["key", "urn"])


def _nearest(requested: pd.DataFrame, keyed: pd.DataFrame) -> pd.Series:
    """Return the URN open on the day; two that were open on it are no answer."""
    joined = requested.reset_index(names="row").merge(keyed, on="key")
    day = joined["on"]
    opened = joined["opened"].fillna(pd.Timestamp(1900, 1, 1))
    closed = joined["closed"].fillna(pd.Timestamp(2200, 1, 1))
    is_open = (day.isna() & joined["closed"].isna()) | ((opened <= day) & (closed >= day))
    before = (opened <= day) | day.isna()
    ranked = joined.assign(rank=is_open * 2 + before, opened=opened).sort_values(
        ["row", "rank", "opened", "urn"], kind="stable"
    )
    best = ranked.drop_duplicates("row", keep="last").set_index("row")["urn"]
    several = ranked[ranked["rank"].ge(2)].groupby("row").size()
    return best.drop(several.index[several > 1])
