"""Bundles: what leaves an authority, and what is refused of what comes from another."""

import csv
import hashlib
import io
import json
import zipfile

import pytest

from tests.release import bundles
from vsh_eval.contracts import ContractError, DisclosureError
from vsh_eval.effects.sensitivity.composition import COMPOSITION_TESTS
from vsh_eval.release.files import exchange
from vsh_eval.release.files.exchange import ABOUT, ESTIMATES, read_bundle, write_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return bundles.write(tmp_path_factory.mktemp("bundle"))


def files_of(path):
    with zipfile.ZipFile(path) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def repacked(folder, files):
    path = folder / "other.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def forged(folder, bundle, *, about=None, rows=None):
    """Change a bundle and give it hashes that fit, as somebody would who means it."""
    files = files_of(bundle)
    said = json.loads(files[ABOUT])
    if rows:
        lines = list(csv.DictReader(io.StringIO(files[ESTIMATES].decode())))
        lines[0] |= rows
        text = io.StringIO()
        writer = csv.DictWriter(text, lines[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
        files[ESTIMATES] = text.getvalue().encode()
    for key, value in (about or {}).items():
        *sections, last = key.split(".")
        place = said
        for section in sections:
            place = place[section]
        place[last] = value
    said["estimates_sha256"] = hashlib.sha256(files[ESTIMATES]).hexdigest()
    said.pop("sha256")
    files[ABOUT] = json.dumps(said | {"sha256": exchange._hash_of(said)}).encode()
    return repacked(folder, files)


def refused(path):
    """Read a bundle that is refused in one sentence."""
    with pytest.raises(ContractError) as error:
        read_bundle(path)
    said = str(error.value)
    assert "\n" not in said
    assert said.startswith("bundle '")
    assert said.endswith("ask the authority to write it again with vsh-eval exchange.")
    return said


def test_what_is_read_is_what_was_released(bundle):
    found = read_bundle(bundle)
    assert found.about.authority.name == "Invented Abbey"
    assert found.about.evidence.statement == "inconclusive"
    asked = {
        (row.target, row.role, row.metric, row.estimator, row.aggregation)
        for row in found.estimates
    }
    assert ("gap", "primary", "overall_absence", "imputation", "event") in asked
    assert ("gap", "robustness", "overall_absence", "same_past", "simple") in asked
    assert ("gap", "secondary", "persistent_absence", "same_past", "simple") in asked
    assert ("reference_level", "robustness", "overall_absence", "imputation", "simple") in asked
    for target in ("drift", "log_cohort_size"):
        assert (target, "robustness", "overall_absence", "imputation", "simple") in asked
    first = found.estimates[0]
    assert (first.estimate, first.std_error, first.df, first.pupils) == (-1.5, 0.8, 69.0, 800)
    second = next(row for row in found.estimates if row.estimator == "same_past")
    assert second.pupils is None  # the sample of a second estimator is not released


def test_it_holds_two_files_and_no_text_that_is_no_code(bundle):
    files = files_of(bundle)
    assert sorted(files) == [ABOUT, ESTIMATES]
    assert b"upn" not in files[ABOUT].lower() + files[ESTIMATES].lower()
    assert b"reason" not in files[ABOUT]


def test_the_same_results_are_the_same_file(tmp_path, bundle):
    again = bundles.write(tmp_path)
    assert again.read_bytes() == bundle.read_bytes()


def test_a_folder_is_read_as_the_zip_file_is(tmp_path, bundle):
    for name, content in files_of(bundle).items():
        (tmp_path / name).write_bytes(content)
    assert read_bundle(tmp_path) == read_bundle(bundle)
    (tmp_path / "more.txt").write_text("more")
    assert "holds 3 files" in refused(tmp_path)


def test_a_link_is_not_followed(tmp_path, bundle):
    files = files_of(bundle)
    outside = tmp_path / "outside.csv"
    outside.write_bytes(files[ESTIMATES])
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / ABOUT).write_bytes(files[ABOUT])
    (folder / ESTIMATES).symlink_to(outside)
    assert "links or folders" in refused(folder)


def test_a_bundle_may_hold_every_test_of_who_is_counted():
    assert set(COMPOSITION_TESTS) < set(exchange.TARGETS)


def test_only_safe_tables_get_into_a_bundle(tmp_path):
    tables = {"impact": bundles.impact(-1.0).frame, "attribution": bundles.attribution()}
    with pytest.raises(DisclosureError):
        write_bundle(tmp_path / "b.zip", bundles.about(), evidence=bundles.evidence(), **tables)


@pytest.mark.parametrize("name", [ABOUT, ESTIMATES])
def test_a_file_that_was_changed_is_refused(tmp_path, bundle, name):
    files = files_of(bundle)
    files[name] = files[name].replace(b"0.8", b"0.7", 1)
    if name == ABOUT:
        files[name] = files[name].replace(b'"in_time": true', b'"in_time": false')
    assert f"has a changed {name}" in refused(repacked(tmp_path, files))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "names", [("../bundle.json", ESTIMATES), (ABOUT, "/etc/estimates.csv"), (ABOUT,), (ABOUT,) * 2]
)
def test_a_zip_file_of_other_names_is_refused_and_nothing_is_unpacked(tmp_path, bundle, names):
    content = files_of(bundle)[ABOUT]
    path = tmp_path / "in" / "other.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as packed:
        for name in names:
            packed.writestr(name, content)
    assert f"holds {len(names)} files" in refused(path)
    assert [one.name for one in tmp_path.rglob("*")] == ["in", "other.zip"]


def test_a_large_file_is_refused_before_it_is_unpacked_whole(tmp_path, bundle):
    files = files_of(bundle)
    files[ESTIMATES] = b"0" * 50_000_000
    path = repacked(tmp_path, files)
    assert path.stat().st_size < exchange.LARGEST
    assert "more than 1,000,000 bytes" in refused(path)
    (tmp_path / "long.zip").write_bytes(b"0" * (exchange.LARGEST + 1))
    assert "more than 1,000,000 bytes" in refused(tmp_path / "long.zip")


@pytest.mark.parametrize("content", [b"", b"PK", b"{}", b"\x00" * 100])
def test_what_is_no_zip_file_is_refused(tmp_path, content):
    path = tmp_path / "b.zip"
    path.write_bytes(content)
    assert "cannot be unpacked" in refused(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"{}", "is no bundle"),
        (b"[]", "is no bundle"),
        (b'{"format": "another"}', "is no bundle"),
        (b"{" * 100_000, "cannot be read"),
        (b'{"a": NaN}', "cannot be read"),
        (b'{"a": 1e999}', "cannot be read"),
        (b'{"a": 1, "a": 2}', "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_a_foreign_file_is_refused(tmp_path, bundle, text, said):
    files = files_of(bundle) | {ABOUT: text}
    assert said in refused(repacked(tmp_path, files))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema_version": 1}, "another version"),
        ({"note": "hello"}, "no unknown key"),
        ({"authority.name": "<script>alert(1)</script>"}, "authority.name"),
        ({"authority.name": "[here](http://example.org)"}, "authority.name"),
        ({"authority.name": "A" * 61}, "authority.name"),
        ({"authority.name": "Invented\nAbbey"}, "authority.name"),
        ({"authority.code": "W06000001"}, "authority.code"),
        ({"software": "0.1.0; rm"}, "software"),
        ({"software": "0.1.0rc"}, "software"),
        ({"software": "0.1.0+<b>"}, "software"),
        ({"evidence.statement": "a great success"}, "must be one of"),
        ({"registration.chosen_by": "me"}, "registration.chosen_by"),
        ({"registration.status": "sealed"}, "must be one of"),
        ({"definitions.protocol.primary": "secret_metric"}, "definitions.protocol"),
        ({"definitions.protocol.sesoi_reason": "because"}, "alone"),
        ({"definitions.exposure.programmes": ["<b>elsa</b>"]}, "small letters"),
        ({"definitions.cohort.rule": "mine"}, "definitions.cohort.rule"),
        ({"invented": "perhaps"}, "invented"),
    ],
)
def test_a_key_or_text_against_its_rule_is_refused(tmp_path, bundle, changes, said):
    found = refused(forged(tmp_path, bundle, about=changes))
    assert said in found
    assert "script" not in found
    assert "example.org" not in found


@pytest.mark.parametrize(
    "version", ["0.2", "0.2.0rc1", "1.0.post2", "1!2.0b3.dev4", "0.2.0.dev7+g81fc0aa.d20261130"]
)
def test_every_version_that_a_package_may_have_is_read(tmp_path, bundle, version):
    read = read_bundle(forged(tmp_path, bundle, about={"software": version}))
    assert read.about.software == version


@pytest.mark.parametrize(
    ("cells", "key"),
    [
        ({"std_error": "-0.8"}, "std_error"),
        ({"std_error": "0"}, "std_error"),
        ({"estimate": "nan"}, "estimate"),
        ({"estimate": "inf"}, "estimate"),
        ({"estimate": "=1+1"}, "estimate"),
        ({"estimate": "-9"}, "interval"),
        ({"p_value": "1.5"}, "p_value"),
        ({"pupils": "7"}, "pupils"),
        ({"pupils": "802"}, "pupils"),
        ({"schools_treated": "2"}, "schools_treated"),
        ({"metric": "secret_metric"}, "metric"),
        ({"target": "child"}, "target"),
        ({"index": "99"}, "index"),
        ({"aggregation": "event", "index": "-3"}, "twice"),
    ],
)
def test_a_number_against_its_rule_is_refused(tmp_path, bundle, cells, key):
    assert key in refused(forged(tmp_path, bundle, rows=cells))


def test_other_columns_are_refused(tmp_path, bundle):
    assert "other columns" in refused(forged(tmp_path, bundle, rows={"upn": "A123"}))
