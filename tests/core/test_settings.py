from pathlib import Path

import pytest
import yaml

from vsh_eval import names, settings
from vsh_eval.contracts import SettingsError

PARAMS = Path(__file__).resolve().parents[2] / "params"


@pytest.fixture
def written():
    return yaml.safe_load((PARAMS / "demo.yaml").read_text(encoding="utf-8"))


def changed(written, key, value):
    section = written
    *parents, last = key.split(".")
    for parent in parents:
        section = section.setdefault(parent, {})
    section[last] = value
    return written


@pytest.mark.parametrize("path", sorted(PARAMS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_params_file_of_the_repository_loads(path):
    assert settings.load(path).name == path.stem


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("cohort.ruel", "x", "cohort.ruel is not a key; did you mean cohort.rule?"),
        ("protocl", {}, "protocl is not a key; did you mean protocol?"),
        (
            "name",
            "My Run!",
            "name is 'My Run!', must have small letters, digits, - and _ only and begin with a "
            "letter or a digit; write my-run.",
        ),
        ("protocol.primary", "overal_absence", "; did you mean overall_absence?"),
        ("protocol.population", ["primry"], "special; did you mean primary?"),
        ("years.first", "2016/18", "academic year is '2016/18'"),
        ("years.baseline", "2030/31", "years.baseline is 2030/31, must lie between"),
        ("years.first", "2040/41", "years.first is 2040/41, must not lie after years.last"),
        ("protocol.primary", "absense", "metric is 'absense', must be one of overall_absence"),
        ("protocol.alpha", 0.1, "protocol.alpha is 0.1, must be 0.05"),
        ("source.schools", 3, "source.schools is 3"),
        ("engine", "oracle", "engine is 'oracle'"),
        ("spark.tables", {"pupils": "x"}, "spark table is 'pupils', must be one of attainment"),
        ("source", {"kind": "returns"}, "source.folder is missing"),
        ("source.licence", "own", "source.licence is given and source.kind is synthetic"),
        ("protocol.population", ["nursery"], "phase is 'nursery', must be one of all_through"),
        ("protocol.population", [], "protocol.population is []"),
        ("protocol.exclusions", ["2020/22"], "protocol.exclusions.0 is '2020/22'"),
        (
            "protocol.secondary",
            ["overall_absence"],
            "params: protocol.secondary names overall_absence, must not",
        ),
        ("published.offer_start", "2016/17", "published.offer_start is 2016/17, must lie after"),
        ("published.offer_start", "2030/31", "published.offer_start is 2030/31, must lie after"),
        ("published.donors", "friends", "published.donors is 'friends'"),
    ],
)
def test_what_is_against_a_rule_is_refused_in_one_sentence(written, key, value, said):
    with pytest.raises(SettingsError, match=r"^params: ") as refused:
        settings.parse(changed(written, key, value))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "?." not in str(refused.value)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("cohort: {basis: plan}\n", "cohort stands in line 27 and again in line"),
        ("extra:\n  - {a: 1, a: 2}\n", "a stands in line"),
    ],
)
def test_a_key_that_stands_twice_is_named_with_its_lines(tmp_path, more, said):
    text = (PARAMS / "demo-small.yaml").read_text(encoding="utf-8")
    line = text.splitlines().index("cohort:") + 1
    (tmp_path / "ours.yaml").write_text(text + more, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"^ours\.yaml: ") as refused:
        settings.load(tmp_path / "ours.yaml")
    assert said.replace("27", str(line)) in str(refused.value)
    assert str(refused.value).endswith("must stand once; join the two.")


def test_params_in_another_encoding_are_refused_with_the_line(tmp_path):
    text = "name: ours\nauthority: {code: E06000049, name: Rh\u00f4s}\n"
    (tmp_path / "ours.yaml").write_bytes(text.encode("cp1252"))
    with pytest.raises(SettingsError, match=r"ours\.yaml is not UTF-8, first seen in line 2, must"):
        settings.load(tmp_path / "ours.yaml")


def test_params_may_begin_with_a_mark_of_their_encoding(tmp_path):
    text = (PARAMS / "demo.yaml").read_text(encoding="utf-8")
    (tmp_path / "ours.yaml").write_text(text, encoding="utf-8-sig")
    assert settings.load(tmp_path / "ours.yaml").name == "demo"


def test_a_missing_key_says_what_to_give(written):
    del written["authority"]["name"]
    with pytest.raises(SettingsError, match="give the authority's name"):
        settings.parse(written)


def test_a_missing_section_is_named(written):
    del written["years"]
    with pytest.raises(SettingsError, match="add the section years"):
        settings.parse(written)


def test_a_folder_is_relative_to_its_params_file(tmp_path, written):
    params = tmp_path / "params" / "ours.yaml"
    params.parent.mkdir()
    written["source"] = {"kind": "returns", "folder": "../returns"}
    params.write_text(yaml.safe_dump(written), encoding="utf-8")
    assert settings.load(params).source.folder == tmp_path / "returns"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not YAML"),
        ("day: 2020-13-45", "is not YAML"),
        ("", "holds no keys"),
        ("- a\n- b", "holds no keys"),
    ],
)
def test_a_file_that_holds_no_settings_is_refused(tmp_path, text, said):
    params = tmp_path / "ours.yaml"
    params.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=said):
        settings.load(params)


PUPIL = "pupil_id,status,note\nP0000002,CIN,moved to: London\n"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("note.csv", PUPIL, "note.csv is no params file, must be one that ends in .yaml; name"),
        ("note.yaml", PUPIL, "note.yaml is not YAML in line 2, column 22, must be; look there"),
        ("note.yaml", "a:\n\tP0000002: 1", "is not YAML in line 2, column 1, must be; look"),
        ("note.yaml", '"P0000002", "CIN"\n', "is not YAML in line 1, column 11, must be; look"),
        ("note.yaml", "P0000002: \0", "is not YAML, must be; look there for a tab"),
    ],
)
def test_a_data_file_that_is_named_for_params_is_not_quoted(tmp_path, name, text, said):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        settings.load(tmp_path / name)
    message = str(refused.value)
    assert said in message
    assert not any(word in message for word in ("P0000002", "CIN", "\n", "London", "pupil_id"))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"none\.yaml does not exist"):
        settings.load(tmp_path / "none.yaml")


def test_a_run_knows_whether_its_data_are_invented_for_it(written):
    assert settings.parse(written).synthetic
    assert not settings.load(PARAMS / "published.yaml").synthetic


def test_all_phases_are_every_phase_and_years_are_read_as_written(written):
    protocol = settings.parse(changed(written, "protocol.exclusions", ["2020/21"])).protocol
    assert protocol.population == names.PHASES
    assert protocol.exclusions == (202021,)
    asked = settings.load(PARAMS / "published.yaml").published
    assert (asked.offer_start, asked.donors) == (202223, "neighbours")
    assert settings.load(PARAMS / "published-norfolk.yaml").published.offer_start is None


def test_the_offer_start_of_the_example_is_called_illustrative():
    text = (PARAMS / "published.yaml").read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if "offer_start" in line]
    assert "ILLUSTRATIVE ONLY" in line


@pytest.mark.parametrize("name", ["con", "nul", "com1", "lpt9", "prn", "aux"])
def test_a_run_is_not_named_like_a_device_of_windows(written, name):
    with pytest.raises(SettingsError, match=f"the name {name} is a device's on Windows; choose"):
        settings.parse(changed(written, "name", name))


@pytest.mark.parametrize("name", ["south.", "south ", "so:uth", "so/uth", "so\\uth", "x" * 61])
def test_a_runs_name_is_a_folders_name_on_every_system(written, name):
    with pytest.raises(SettingsError, match=r"^params: name is "):
        settings.parse(changed(written, "name", name))


def test_a_name_that_only_begins_like_a_device_stands(written):
    assert settings.parse(changed(written, "name", "console")).name == "console"


def test_a_secret_is_not_kept_in_a_device(written):
    with pytest.raises(SettingsError, match=r"the name AUX\.key is a device"):
        settings.parse(changed(written, "disclosure.secret_file", "../keys/AUX.key"))


WINDOWS_PATHS = ("..\\returns", "C:\\data\\returns", "C:/data", r"\\server\share\returns")
"""Paths that Windows reads, and other systems take for the name of one file."""


@pytest.mark.parametrize("path", WINDOWS_PATHS)
@pytest.mark.parametrize("windows", [True, False])
def test_a_windows_path_is_read_on_windows_and_refused_elsewhere(
    written, path, windows, monkeypatch
):
    monkeypatch.setattr(settings, "_ON_WINDOWS", windows)
    given = changed(written, "source", {"kind": "returns", "files": {"gip": path}})
    if windows:
        assert settings.parse(given).source.files.gip.files == (path,)
        return
    with pytest.raises(SettingsError, match=r"gip\.files\.0 is .* must be one of this machine"):
        settings.parse(given)


@pytest.mark.parametrize("windows", [True, False])
def test_a_drive_without_a_folder_is_nowhere_one_would_look(written, windows, monkeypatch):
    monkeypatch.setattr(settings, "_ON_WINDOWS", windows)
    with pytest.raises(SettingsError, match="must have a / behind its drive; write C:/"):
        settings.parse(changed(written, "source", {"kind": "returns", "folder": "C:returns"}))


def test_a_path_that_yaml_has_taken_apart_says_so(tmp_path):
    text = (PARAMS / "returns.yaml").read_text(encoding="utf-8")
    broken = text.replace("folder: ../returns ", r'folder: "..\returns" ')
    (tmp_path / "ours.yaml").write_text(broken, encoding="utf-8")
    with pytest.raises(SettingsError, match="no tab or line break, which is what YAML makes"):
        settings.load(tmp_path / "ours.yaml")
