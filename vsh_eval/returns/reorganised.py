"""Authorities of England that were reorganised or got another code, as facts.

Sources: the day of each is that of its Order (legislation.gov.uk), whose number stands beside it.
Codes up to 2023 are those under which DfE's tables on children in need (releases of 2024 and 2026)
have an area before and after that day, but for Buckinghamshire's first; that and the codes of 2025
are ONS's.
"""

from datetime import date
from typing import NamedTuple


class Reorganisation(NamedTuple):
    """What became of some authorities on a day.

    Attributes
    ----------
    day : date
        The first day of the new codes.
    before, after : tuple of str
        Codes of nine characters; one before and one after are the same area.
    """

    day: date
    before: tuple[str, ...]
    after: tuple[str, ...]


REORGANISED: tuple[Reorganisation, ...] = tuple(
    Reorganisation(date(year, 4, 1), tuple(before.split()), tuple(after.split()))
    for year, before, after in (
        # S.I. 2018/648: Christchurch went from Dorset to Bournemouth and Poole.
        (2019, "E06000028 E06000029 E10000009", "E06000058 E06000059"),
        (2020, "E10000002", "E06000060"),  # S.I. 2019/957: Buckinghamshire
        (2021, "E10000021", "E06000061 E06000062"),  # S.I. 2020/156: Northamptonshire
        # S.I. 2022/331: Cumberland, Westmorland and Furness
        (2023, "E10000006", "E06000063 E06000064"),
        (2023, "E10000023", "E06000065"),  # S.I. 2022/328: North Yorkshire
        (2023, "E10000027", "E06000066"),  # S.I. 2022/329: Somerset
        # S.I. 2024/1328: a few streets went from Barnsley to Sheffield, and both got other codes.
        (2025, "E08000016", "E08000038"),
        (2025, "E08000019", "E08000039"),
    )
)
"""Since the academic year 2016/17, of authorities that have children's services."""

RECODED = {
    one.before[0]: one.after[0] for one in REORGANISED if len(one.before) == len(one.after) == 1
}
"""The later code of each area that has had two."""


def same_area(code: str) -> tuple[str, ...]:
    """Return the codes of an area, the given one first.

    Examples
    --------
    >>> same_area("E06000066"), same_area("E06000063")
    (('E06000066', 'E10000027'), ('E06000063',))
    """
    other = {**RECODED, **{new: old for old, new in RECODED.items()}}.get(code)
    return (code,) if other is None else (code, other)


def formed_of(code: str) -> Reorganisation | None:
    """Return the reorganisation that an authority of another area than before came from.

    Examples
    --------
    >>> formed_of("E06000063").before, formed_of("E06000066") is None
    (('E10000006',), True)
    """
    formed = (one for one in REORGANISED if code in one.after and code not in RECODED.values())
    return next(formed, None)


def predecessors(code: str) -> tuple[str, ...]:
    """Return the codes of the authorities of which an authority was formed; mostly none.

    Examples
    --------
    >>> predecessors("E06000058"), predecessors("E06000049")
    (('E06000028', 'E06000029', 'E10000009'), ())
    """
    formed = formed_of(code)
    return () if formed is None else formed.before
