"""A database: PostgreSQL as the test starts it, SQLite, the SSD's layout, and what is refused."""

import socket
import time

import pandas as pd
import pytest

from tests import frames
from tests.returns.formats import postgresql
from tests.returns.formats.made import UPN, counts
from tests.synthetic.twins import SMALLEST, with_upns
from vsh_eval.contracts import RETURNS, ContractError
from vsh_eval.returns import open_returns
from vsh_eval.returns.formats import Options, database
from vsh_eval.settings import Database, Files
from vsh_eval.synthetic import Plan, authority, invent

sqlalchemy = pytest.importorskip("sqlalchemy", reason="the extra files is not installed")

SSD = """
CREATE TABLE ssd_person (pers_person_id VARCHAR(48), pers_upn VARCHAR(48));
CREATE TABLE ssd_linked_identifiers (link_person_id VARCHAR(48), link_identifier_type VARCHAR(100),
    link_identifier_value VARCHAR(100));
CREATE TABLE ssd_cin_episodes (cine_person_id VARCHAR(48), cine_referral_date TIMESTAMP,
    cine_close_date TIMESTAMP, cine_referral_nfa VARCHAR(1));
CREATE TABLE ssd_cin_plans (cinp_person_id VARCHAR(48), cinp_cin_plan_start_date TIMESTAMP,
    cinp_cin_plan_end_date TIMESTAMP);
CREATE TABLE ssd_cp_plans (cppl_person_id VARCHAR(48), cppl_cp_plan_start_date TIMESTAMP,
    cppl_cp_plan_end_date TIMESTAMP);
CREATE TABLE ssd_cla_episodes (clae_person_id VARCHAR(48), clae_cla_episode_start_date TIMESTAMP,
    clae_cla_episode_ceased_date TIMESTAMP);
CREATE TABLE ssd_legal_status (lega_person_id VARCHAR(48), lega_legal_status VARCHAR(100),
    lega_legal_status_start_date TIMESTAMP, lega_legal_status_end_date TIMESTAMP);
INSERT INTO ssd_person VALUES ('1', 'h801200001001'), ('2', 'A950000178301'), ('3', NULL);
INSERT INTO ssd_linked_identifiers VALUES
    ('1', 'Former Unique Pupil Number', 'X00180001701A'), ('1', 'NHS Number', '943');
INSERT INTO ssd_cin_episodes VALUES ('1', '2021-05-01', '2022-02-01', 'N'),
    ('2', '2021-05-02', NULL, 'Y'), ('3', '2021-05-03', NULL, 'N');
INSERT INTO ssd_cin_plans VALUES ('1', '2021-06-01', '2021-09-01');
INSERT INTO ssd_cp_plans VALUES ('1', '2021-07-01', '2021-12-01');
INSERT INTO ssd_cla_episodes VALUES ('1', '2022-03-01', NULL), ('2', '2022-03-02', NULL);
INSERT INTO ssd_legal_status VALUES ('1', 'C2', '2022-03-01', NULL),
    ('2', 'V4 short breaks', '2022-03-02', NULL);
"""
READ = [
    (UPN, "CIN", "2021-05-01", "2022-02-01", "episode"),
    (UPN, "CIN", "2021-06-01", "2021-09-01", "plan"),
    (UPN, "CLA", "2022-03-01", None, "episode"),
    (UPN, "CPP", "2021-07-01", "2021-12-01", "episode"),
]


def read(url, **section):
    return database.read((), options=Options(section=Database(url=url, **section)))


def sorted_rows(reading):
    table = reading.tables["episodes"]
    return sorted(
        tuple(None if value != value else value for value in row)  # noqa: PLR0124 - NaN
        for row in table.itertuples(index=False, name=None)
    )


# --- PostgreSQL


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Start a PostgreSQL with the tables of the Standard Safeguarding Dataset."""
    pytest.importorskip("psycopg", reason="the extra files is not installed")
    try:
        with postgresql.started(tmp_path_factory.mktemp("pg")) as running:
            with running.engine.begin() as connection:
                connection.exec_driver_sql(SSD)
            yield running
    except postgresql.NoServerError as error:
        pytest.skip(str(error))


@pytest.fixture
def password(monkeypatch):
    monkeypatch.setenv("VSH_EVAL_DATABASE_PASSWORD", postgresql.PASSWORD)


@pytest.mark.usefixtures("password")
def test_the_standard_safeguarding_dataset_gives_the_episodes(server):
    found = read(server.url, layout="ssd")
    assert sorted_rows(found) == READ
    assert counts(found) == {"rows_without_upn": 1}
    former = found.references["former_upns"].to_numpy().tolist()
    assert former == [["X00180001701A", UPN]]


@pytest.mark.usefixtures("password")
def test_a_query_goes_before_the_layouts_and_its_colons_and_signs_are_its_own(server):
    query = (
        f"SELECT '{UPN}' AS pupil_id, 'CIN' AS status, '2021-05-01'::date AS start_date, "
        "CAST(NULL AS date) AS end_date WHERE 'a%b:c' LIKE '%b:c'"
    )
    found = read(server.url, layout="ssd", queries={"episodes": query})
    assert sorted_rows(found) == [(UPN, "CIN", "2021-05-01", None)]


@pytest.mark.usefixtures("password")
@pytest.mark.parametrize("query", ["DELETE FROM ssd_person", "DROP TABLE ssd_person"])
def test_nothing_is_ever_written(server, query):
    url, engine = server.url, server.engine
    for written in (query, f"COMMIT; {query}"):
        with pytest.raises(ContractError, match=r"queries\.episodes cannot be run"):
            read(url, queries={"episodes": written})
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM ssd_person").scalar() == 3


@pytest.mark.usefixtures("password")
def test_a_connection_lost_while_a_query_is_read_is_no_fault_of_the_query(server):
    query = "SELECT pg_terminate_backend(pg_backend_pid())"
    with pytest.raises(ContractError, match=r"was lost while queries\.episodes was read"):
        read(server.url, queries={"episodes": query})


def test_a_wrong_password_is_said_in_one_sentence_without_the_url(server, monkeypatch):
    monkeypatch.setenv("VSH_EVAL_DATABASE_PASSWORD", "wrong")
    with pytest.raises(ContractError, match="cannot be reached") as refused:
        read(server.url, layout="ssd")
    assert "reader@" not in str(refused.value)


# --- Any other


@pytest.fixture
def sqlite(tmp_path):
    url = f"sqlite:///{tmp_path / 'care.db'}"
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        for statement in filter(str.strip, SSD.split(";")):
            connection.exec_driver_sql(statement)
    engine.dispose()
    return url


def test_sqlite_gives_the_same_episodes(sqlite):
    found = read(sqlite, layout="ssd")
    assert [(row[0], row[1], row[2][:10], row[4]) for row in sorted_rows(found)] == [
        (row[0], row[1], row[2], row[4]) for row in READ
    ]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"queries": {"episodes": "SELECT 1 AS pupil_id"}}, "gives no column status, start_date"),
        ({"queries": {"episodes": "SELECT nonsense"}}, "queries.episodes cannot be run"),
        ({"queries": {"episodes": "DELETE FROM ssd_person"}}, "queries.episodes cannot be run"),
    ],
)
def test_a_query_that_gives_no_table_is_refused(sqlite, section, said):
    with pytest.raises(ContractError, match=said):
        read(sqlite, **section)


@pytest.mark.parametrize("url", ["no url", "oracle+nothing://x/y"])
def test_a_url_that_cannot_be_used_is_refused_and_not_repeated(url):
    with pytest.raises(ContractError, match="cannot be used") as refused:
        read(url, layout="ssd")
    assert url not in str(refused.value)


def test_a_server_that_takes_a_connection_and_never_answers_is_given_up(monkeypatch):
    pytest.importorskip("psycopg", reason="the extra files is not installed")
    monkeypatch.setattr(database, "ANSWERS_WITHIN", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg://reader@127.0.0.1:{silent.getsockname()[1]}/care"
        began = time.monotonic()
        with pytest.raises(ContractError, match="cannot be reached"):
            read(url, layout="ssd")
        assert time.monotonic() - began > 1


# --- The twin


def in_the_database(authority, engine) -> None:
    """Write an authority's tables, its episodes as the Standard Safeguarding Dataset has them."""
    episodes = authority.tables["episodes"]
    days = episodes[["pupil_id", "start_date", "end_date"]]
    kinds = (episodes["status"] + " " + episodes["basis"]).to_numpy()
    layout = {
        "CIN episode": ("ssd_cin_episodes", "cine", ("referral_date", "close_date")),
        "CIN plan": ("ssd_cin_plans", "cinp", ("cin_plan_start_date", "cin_plan_end_date")),
        "CPP episode": ("ssd_cp_plans", "cppl", ("cp_plan_start_date", "cp_plan_end_date")),
        "CLA episode": (
            "ssd_cla_episodes", "clae", ("cla_episode_start_date", "cla_episode_ceased_date")
        ),
    }  # fmt: skip
    with engine.begin() as connection:
        for name, table in authority.tables.items():
            if name != "episodes":
                table.to_sql(name, connection, index=False)
        people = pd.DataFrame({"pers_person_id": episodes["pupil_id"].unique()})
        people = people.assign(pers_upn=people["pers_person_id"].str.lower())
        for name in ("ssd_person", "ssd_linked_identifiers", "ssd_legal_status",
                     *(table for table, *_ in layout.values())):  # fmt: skip
            connection.exec_driver_sql(f"TRUNCATE {name}")
        people.to_sql("ssd_person", connection, index=False, if_exists="append")
        for kind, (table, prefix, dates) in layout.items():
            columns = ["person_id", *dates]
            rows = days[kinds == kind].set_axis([f"{prefix}_{c}" for c in columns], axis=1)
            rows.to_sql(table, connection, index=False, if_exists="append")


@pytest.mark.usefixtures("password")
def test_the_tables_from_postgresql_are_those_of_the_folder(server, tmp_path):
    url, engine = server.url, server.engine
    plan = Plan(**SMALLEST, seed=4)
    made = with_upns(invent(plan))
    authority._write_tables(tmp_path, made, "parquet")
    in_the_database(made, engine)
    queries = {name: f"TABLE {name}" for name in made.tables if name != "episodes"}
    files = Files(database=Database(url=url, layout="ssd", queries=queries))
    with (
        open_returns(tmp_path, years=plan.years) as ready,
        open_returns(None, files=files, years=plan.years) as read,
    ):
        for name in RETURNS:
            of_both = (of.connection.sql(f"FROM {name} ORDER BY ALL").df() for of in (read, ready))
            frames.assert_the_same(*of_both, name)
