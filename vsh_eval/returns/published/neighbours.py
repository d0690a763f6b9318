"""The ten statistical neighbours of each authority, in DfE's children's services model."""

from pathlib import Path

import pandas as pd

from vsh_eval.contracts import require_columns

NEIGHBOUR_COLUMNS = ("unit_id", "neighbour_id", "rank", "closeness")
RANKS = range(1, 11)


def read_neighbours(path: Path, *, areas: pd.DataFrame) -> pd.DataFrame:
    """Read the wide table of neighbours to one row a pair.

    Parameters
    ----------
    path : Path
        CSV with ``old_la_code`` and, for ranks 1 to 10, ``SN_1`` (code) and ``SN_1P`` (closeness).
    areas : DataFrame
        Areas of the release, for their ONS codes.

    Returns
    -------
    DataFrame
        ``NEIGHBOUR_COLUMNS``, sorted by unit and rank (1 is the closest). A pair with an authority
        that the release does not know is left out; ranks stay as published.

    Raises
    ------
    ContractError
        If a column is missing.
    """
    wide = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig")
    pairs = [f"SN_{rank}{end}" for rank in RANKS for end in ("", "P")]
    require_columns(wide, ["old_la_code", *pairs], name=path.name)
    local = areas.loc[areas["old_la_code"].ne("")]
    codes = dict(zip(local["old_la_code"], local["unit_id"], strict=True))
    long = pd.concat(
        [
            pd.DataFrame(
                {
                    "unit_id": wide["old_la_code"].map(codes),
                    "neighbour_id": wide[f"SN_{rank}"].str.strip().map(codes),
                    "rank": rank,
                    "closeness": wide[f"SN_{rank}P"].str.strip(),
                }
            )
            for rank in RANKS
        ]
    )
    return long.dropna().sort_values(["unit_id", "rank"], ignore_index=True)


def no_neighbours() -> pd.DataFrame:
    """Return the table of neighbours where no file was given: its columns and no row."""
    return pd.DataFrame(
        {
            "unit_id": pd.Series(dtype="str"),
            "neighbour_id": pd.Series(dtype="str"),
            "rank": pd.Series(dtype="int64"),
            "closeness": pd.Series(dtype="str"),
        }
    )
