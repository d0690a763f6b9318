"""What goes wrong in real files, put into those of an invented authority.

One row of `FAULTS` a fault: another one is another row.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from vsh_eval.synthetic.as_returns import write_log

_SPLIT = "\0"
"""Becomes a separator that nothing quotes."""
_TITLE_ROWS = 2

Spoil = Callable[[pd.DataFrame, np.ndarray], pd.DataFrame]
"""Takes a file's rows as text and which of them are to be spoilt; gives the rows."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes
    ----------
    files : str
        The pattern of the files in which it is found.
    spoil : callable or None
        What becomes of some rows; None: the files of the last year are not there.
    said : str
        The code of the note or check that names it; '' where it does no harm, so that nothing is
        said and the tables are the same.
    separator : str
        What stands between the values of the last of these files; the others keep the comma.
    """

    files: str
    spoil: Spoil | None
    said: str = ""
    separator: str = ","


def _written(column: str, as_: Callable[[pd.Series], pd.Series] | str) -> Spoil:
    """Write a column otherwise."""

    def spoil(rows: pd.DataFrame, which: np.ndarray) -> pd.DataFrame:
        texts = as_(rows[column]) if callable(as_) else as_
        return rows.assign(**{column: rows[column].mask(which & rows[column].ne(""), texts)})

    return spoil


def _twice(rows: pd.DataFrame, which: np.ndarray) -> pd.DataFrame:
    return pd.concat([rows, rows[which]])


FAULTS: Mapping[str, Fault] = {
    "UPNs in small letters": Fault(
        "ssda903/*_header.csv", _written("UPN", lambda t: t.str.lower())
    ),
    "UPNs with blanks": Fault("*_la_pupilonroll.csv", _written("upn", lambda t: " " + t + " ")),
    "dates with a time": Fault(
        "ssda903/*_episodes.csv", _written("DECOM", lambda t: t + " 00:00:00")
    ),
    "blank ids": Fault("*_la_pupilonroll.csv", _written("upn", ""), "pupils_without_upn"),
    "rows twice": Fault("*_la_pupilonroll.csv", _twice, "pupils_twice_in_a_census"),
    "reasons for no UPN": Fault(
        "ssda903/*_header.csv", _written("UPN", "UN3"), "children_without_upn"
    ),
    "days that do not exist": Fault(
        "ssda903/*_episodes.csv", _written("DECOM", "31/02/2024"), "dates_not_read"
    ),
    "episodes of care without an end": Fault(
        "ssda903/*_episodes.csv", _written("DEC", ""), "ended_with_last_return"
    ),
    "separators within a value": Fault(
        "*_la_termlysessiondetailsonroll.csv",
        _written("NativeId", lambda t: t + _SPLIT),
        "rows_of_another_length",
    ),
    "free text for a day": Fault(
        "training_log.xlsx", _written("Course start", "April (Inset)"), "start_unread"
    ),
    "bookings": Fault("training_log.xlsx", _written("Status", "Booked"), "bookings_not_attended"),
    "names of schools spelt otherwise": Fault(
        "training_log.xlsx", _written("School URN", "Saint Mary's"), "schools_of_log_not_found"
    ),
    "semicolons": Fault("*_la_pupilonroll.csv", lambda rows, _: rows, separator=";"),
    "a term that is lacking": Fault("*_summer_la_*.csv", None, "terms_whole"),
}


def put_into(folder: Path, share: float, *, seed: int, names: Collection[str] = FAULTS) -> None:
    """Put faults into the files of an invented authority.

    Parameters
    ----------
    folder : Path
        The files, as `as_returns` and `social_care_returns` write them; they are written anew.
    share : float
        The share of children, schools or rows that a fault touches, 0 to 1.
    seed : int
        Of the choice; a child whom a fault touches, it touches in the files of every year.
    names : collection of str
        Which of `FAULTS`; all where it is not given.
    """
    for name in names if share else ():
        fault = FAULTS[name]
        paths = sorted(folder.glob(fault.files))
        for path in paths:
            if fault.spoil is None:
                if path.name[:4] == paths[-1].name[:4]:
                    path.unlink()
                continue
            rows = _read(path)
            drawn = pd.util.hash_array(
                (name + rows.iloc[:, 0]).to_numpy(dtype=object), hash_key=f"{seed:016d}"
            )
            separator = fault.separator if path == paths[-1] else ","
            _write(path, fault.spoil(rows, drawn / 2.0**64 < share), separator)


def _read(path: Path) -> pd.DataFrame:
    if path.suffix == ".csv":
        return pd.read_csv(path, dtype="str", keep_default_na=False)
    return pd.read_excel(
        path, dtype="str", keep_default_na=False, engine="calamine", skiprows=_TITLE_ROWS
    )


def _write(path: Path, rows: pd.DataFrame, separator: str) -> None:
    if path.suffix == ".csv":
        text = rows.to_csv(index=False, sep=separator).replace(_SPLIT, separator)
        path.write_text(text, encoding="utf-8")
    else:
        write_log(path, rows)
