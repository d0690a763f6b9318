"""Small returns of children's social care, made for tests, and what readers say of them."""

from vsh_eval.returns.formats import Options, Reading

UPN = "H801200001001"
OTHER_UPN = "A950000178301"


def rows(reading: Reading) -> list[tuple]:
    """Return the episodes as tuples of text, an open end being None."""
    table = reading.tables["episodes"]
    texts = table.assign(
        start_date=table["start_date"].dt.strftime("%Y-%m-%d"),
        end_date=table["end_date"].dt.strftime("%Y-%m-%d"),
    )
    return [
        tuple(None if value != value else value for value in row)  # noqa: PLR0124 - NaN
        for row in texts.itertuples(index=False, name=None)
    ]


def counts(reading: Reading) -> dict[str, int]:
    """Return how many rows each note concerns."""
    return {message.code: message.details["rows"] for message in reading.notes}


def details(reading: Reading, code: str) -> dict:
    """Return the details of the one note with a code."""
    (found,) = [message.details for message in reading.notes if message.code == code]
    return found


def identifiers(child="1", upn=UPN, born="2012-05-04", more="") -> str:
    written = f"<UPN>{upn}</UPN>" if upn else ""
    return (
        f"<ChildIdentifiers><LAchildID>{child}</LAchildID>{written}"
        f"<PersonBirthDate>{born}</PersonBirthDate>{more}</ChildIdentifiers>"
    )


def referral(start="2021-05-01", end="", nfa="false", inner="") -> str:
    closed = f"<CINclosureDate>{end}</CINclosureDate>" if end else ""
    return (
        f"<CINdetails><CINreferralDate>{start}</CINreferralDate>{closed}{inner}"
        f"<ReferralNFA>{nfa}</ReferralNFA></CINdetails>"
    )


def plan(start="2021-06-01", end="2021-09-01") -> str:
    closed = f"<CINPlanEndDate>{end}</CINPlanEndDate>" if end else ""
    return f"<CINPlanDates><CINPlanStartDate>{start}</CINPlanStartDate>{closed}</CINPlanDates>"


def protection(start="2021-07-01", end="2021-12-01") -> str:
    closed = f"<CPPendDate>{end}</CPPendDate>" if end else ""
    return (
        f"<ChildProtectionPlans><CPPstartDate>{start}</CPPstartDate>{closed}</ChildProtectionPlans>"
    )


def census(*children: str, year=2022, date="", lea="201", root="Message") -> str:
    """Write a census; a child is its identifiers and referrals."""
    inside = "".join(f"<Child>{child}</Child>" for child in children)
    return (
        f"<{root}><Header><CollectionDetails><Collection>CIN</Collection><Year>{year}</Year>"
        f"<ReferenceDate>{date or f'{year}-03-31'}</ReferenceDate></CollectionDetails>"
        f"<Source><LEA>{lea}</LEA></Source></Header><Children>{inside}</Children>"
        f"</{root.split()[0]}>"
    )


NOTHING = Options()
