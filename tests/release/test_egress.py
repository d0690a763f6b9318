"""The last look finds what was planted, wherever it hides, and passes what is clean."""

import base64
import io
import json
import struct
import zipfile
import zlib
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from vsh_eval.contracts import DisclosureError
from vsh_eval.pipeline import yearly
from vsh_eval.pipeline.records import secret
from vsh_eval.release.disclosure.rules import INTERNAL_STAMP, rule_named
from vsh_eval.release.files import contents, egress
from vsh_eval.settings import parse

CELLKEY, NONE = rule_named("cellkey"), rule_named("none")
PUPIL = "A820200312007"


def picture(**texts):
    """A small PNG whose metadata say something."""
    said = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        said.add_text(key, text, zip=key == "packed")
        said.add_itxt(f"{key}_i", text, zip=key == "packed")
    out = io.BytesIO()
    Image.fromarray(np.zeros((4, 4, 3), dtype=np.uint8)).save(out, "png", pnginfo=said)
    return out.getvalue()


def workbook(text):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/", "")
        packed.writestr("xl/sharedStrings.xml", f"<sst><si><t>{text}</t></si></sst>")
        packed.writestr("xl/media/image1.png", picture())
    return out.getvalue()


def data_uri(content, kind="image/png"):
    return f'<img src="data:{kind};base64,{base64.b64encode(content).decode()}" alt="">'


def check(folder, **changed):
    wanted = {"identifiers": [PUPIL], "rule": CELLKEY} | changed
    return egress.check(folder, **wanted)


CLEAN = {
    "index.html": f"<p>Gap 3.5 points, 2024/25.</p>{data_uri(picture(Software='Matplotlib'))}",
    "tables/gaps.csv": "time_period,group_pupils,gap,status\n202425,405,3.5,\n202324,c,c,c\n",
    "results.json": json.dumps({"levels": [{"pupils": 405}, {"pupils": None}], "rows": 3}),
    "figures/gap.svg": '<svg><path d="M 123.456789 820200.5"/></svg>',
    "figures/gap.png": picture(),
    "workbook.xlsx": workbook("Children with a social worker"),
    "notebook.ipynb": json.dumps(
        {"cells": [{"outputs": [{"data": {"image/png": base64.b64encode(picture()).decode()}}]}]}
    ),
}


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def test_a_clean_release_passes_with_a_finding_for_each_check(tmp_path):
    found = check(write(tmp_path, CLEAN), paths=["/home/analyst"], secrets=["d3ad" * 8])
    assert (found["result"] == "pass").all()
    assert (found["of_rows"] == len(CLEAN)).all()
    assert {"egress_identifier", "egress_count", "egress_secret"} <= set(found["check"])


HIDING_PLACES = {
    "page.html": f"<p title='{PUPIL}'>one child</p>",
    "small.html": f"<p>{PUPIL.lower()}</p>",
    "coded.html": "<p>&#65;820200312007</p>",
    "inline.html": data_uri(picture(Comment=f"row {PUPIL}")),
    "packed.html": data_uri(picture(packed=f"row {PUPIL}")),
    "svg.html": data_uri(f"<svg><title>{PUPIL}</title></svg>".encode(), "image/svg+xml"),
    "font.html": data_uri(f"x {PUPIL} x".encode(), "font/woff2"),
    "figure.png": picture(Description=PUPIL),
    "tail.png": picture() + f" {PUPIL}".encode(),
    "figure.svg": f"<svg><desc>{PUPIL}</desc></svg>",
    "book.xlsx": workbook(PUPIL),
    "results.json": json.dumps({"worst": [{"id": PUPIL}]}),
    "tables/gaps.csv": f"phase,gap\n{PUPIL},3\n",
    f"{PUPIL}.txt": "nothing",
    "run.ipynb": json.dumps(
        {"outputs": [{"data": {"image/png": base64.b64encode(picture(id=PUPIL)).decode()}}]}
    ),
    "cells.ipynb": json.dumps({"cells": [{"source": [f"find('{PUPIL}')"]}]}),
}


@pytest.mark.parametrize("name", HIDING_PLACES)
def test_an_identifier_is_found_wherever_it_hides_and_never_repeated(tmp_path, name):
    write(tmp_path, CLEAN | {name: HIDING_PLACES[name]})
    with pytest.raises(DisclosureError, match="holds a pupil's identifier") as error:
        check(tmp_path)
    if PUPIL not in name:
        assert PUPIL.lower() not in str(error.value).lower()
        assert name in str(error.value)


def test_exif_is_read():
    chunk = f"II {PUPIL}".encode()
    body = b"eXIf" + chunk
    made = picture()[:33] + struct.pack(">I", len(chunk)) + body
    made += struct.pack(">I", zlib.crc32(body)) + picture()[33:]
    assert any(PUPIL in text for text in contents.texts("a.png", made))


def test_a_part_of_a_word_is_no_identifier(tmp_path):
    write(tmp_path, {"page.html": f"<p>x{PUPIL}</p><p>{PUPIL}9</p>"})
    assert (check(tmp_path)["result"] == "pass").all()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pupil 7204153", True),
        ('{"id": 7204153}', True),
        ("x,7204153,y", True),
        ("12,7204153,34", True),
        ("pupil #7204153", True),
        ("pupil-7204153.", True),
        ("12.7204153", False),
        ("7204153.5", False),
        ("#72041530", False),
        ("id7204153", False),
    ],
)
def test_a_number_is_an_identifier_only_as_a_whole_number(tmp_path, text, found):
    write(tmp_path, {"note.txt": text})
    if found:
        with pytest.raises(DisclosureError, match="identifier"):
            check(tmp_path, identifiers=["7204153"])
    else:
        check(tmp_path, identifiers=["7204153"])


def test_academic_years_and_short_identifiers_are_ordinary_text(tmp_path):
    write(tmp_path, {"note.txt": "202425, 12345 and P1; 202433"})
    found = check(tmp_path, identifiers=["202425", "12345", "P1", " ", "3"])
    short = found[found["check"] == "egress_short_identifiers"]
    assert short[["result", "rows"]].values.tolist() == [["warn", 3]]
    with pytest.raises(DisclosureError, match="identifier"):
        check(tmp_path, identifiers=["202433"])
    with pytest.raises(DisclosureError, match="identifier"):
        check(write(tmp_path, {"note.txt": "190012"}), identifiers=["190012"])


@pytest.mark.parametrize("identifier", ["P-000123", "smith, j. 04/05"])
def test_identifiers_of_several_words_are_found(tmp_path, identifier):
    write(tmp_path, {"note.txt": f"row: {identifier};", "other.txt": "P 000123 smith j 04 05"})
    with pytest.raises(DisclosureError, match=r"note\.txt"):
        check(tmp_path, identifiers=[identifier])
    (tmp_path / "note.txt").unlink()
    check(tmp_path, identifiers=[identifier])


@pytest.mark.parametrize(
    ("wanted", "text", "kind"),
    [
        ({"paths": ["/home/analyst"]}, "read /home/analyst/returns", "machine path"),
        ({"paths": [r"C:\Users\analyst"]}, json.dumps(r"C:\Users\analyst\x"), "machine path"),
        ({"paths": ["/home/an analyst"]}, "file:///home/an%20analyst/x", "machine path"),
        ({"paths": ["/home/analyst"]}, "../../../home/analyst/params.yaml", "machine path"),
        ({"paths": ["/app"]}, 'src="/app/outputs/x.svg"', "machine path"),
        ({"secrets": ["d3adbeef" * 4]}, "key=xD3ADBEEF" + "d3adbeef" * 3, "secret"),
        ({"planted": ["7919"]}, "<td>7919</td>", "planted"),
        ({"planted": ["a planted phrase"]}, "here: a planted phrase.", "planted"),
        ({}, INTERNAL_STAMP, "internal"),
    ],
)
def test_paths_secrets_planted_values_and_internal_stamps_are_found(tmp_path, wanted, text, kind):
    write(tmp_path, {"page.html": text})
    with pytest.raises(DisclosureError, match=kind):
        check(tmp_path, **wanted)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/app", '<Override PartName="/docProps/app.xml"/> docs/app/x /apps /app'),
        ("/code", "<code>x</code>/y"),
        ("/content", "https://www.gov.uk/content/attendance"),
        ("/work", "teamwork/work/hours ../work/x"),
        ("/share", "market/share/price"),
        ("/home/ana", "/home/analyst and /home/ana-lyst"),
    ],
)
def test_a_piece_of_a_word_a_tag_or_an_address_is_no_machine_path(tmp_path, path, text):
    """Containers keep a home in /app, /work, /code, /content or /share."""
    write(tmp_path, {"page.html": text})
    check(tmp_path, paths=[path])


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run of real returns whose secret is in a file, ready for its last look."""
    monkeypatch.delenv(secret.VARIABLE)
    key = tmp_path / "keys" / "own.key"
    years = {"first": "2022/23", "last": "2023/24", "baseline": "2022/23"}
    settings = parse(
        {"name": "tiny", "authority": {"code": "E06000999", "name": "Somewhere"}, "years": years,
         "source": {"kind": "returns", "folder": str(tmp_path)},
         "disclosure": {"secret_file": str(key)}}
    )  # fmt: skip
    secret.write_new(settings)
    for module, step in ((yearly.pages, "render"), (yearly.closed, "keep")):
        monkeypatch.setattr(module, step, lambda *_, **__: None)
    monkeypatch.setattr(yearly.manifest, "write", lambda *_, **__: None)
    monkeypatch.setattr(yearly, "_identifiers", lambda _: frozenset())
    released = tmp_path / "site" / "release"
    write(released, {"index.html": "<p>Somewhere</p>"})
    return SimpleNamespace(
        settings=settings,
        released=released,
        folder=tmp_path / "site",
        params=tmp_path / "params" / "la.yaml",
        rule=CELLKEY,
        invented=False,
    )


@pytest.mark.parametrize(
    "written",
    [
        lambda key: key.read_text(),
        lambda key: f"made with x{key.read_text().strip().upper()}x",
        lambda key: key.read_bytes().strip().hex(),
        lambda key: base64.b64encode(key.read_bytes().strip()).decode(),
        lambda key: json.dumps({"secret_file": str(key)}),
    ],
    ids=["text", "in capitals", "hexadecimal", "base 64", "path"],
)
def test_a_run_looks_for_its_secret_and_for_where_it_is_kept(run, written):
    yearly._finish(run, datetime.now(UTC))
    write(run.released, {"note.txt": written(run.settings.disclosure.secret_file)})
    with pytest.raises(DisclosureError, match=r"note\.txt holds a (secret|machine path)"):
        yearly._finish(run, datetime.now(UTC))


def test_a_public_secret_is_not_looked_for_and_bytes_have_no_text(run):
    assert secret.texts_of(run.settings, invented=True) == ()
    key = run.settings.disclosure.secret_file
    key.write_bytes(bytes(range(240, 256)))
    assert secret.texts_of(run.settings, invented=False) == (
        "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
        "8PHy8/T19vf4+fr7/P3+/w",
    )


def test_what_is_not_asked_for_is_not_looked_for(tmp_path):
    write(tmp_path, {"page.html": "7919 a /b"})
    check(tmp_path, planted=["", "79"], paths=["/"], secrets=[""])


@pytest.mark.parametrize("count", [1, max(1, CELLKEY.threshold - CELLKEY.base), 412, 0.5])
@pytest.mark.parametrize("column", sorted(egress.COUNTS_OF_PEOPLE))
def test_small_and_unrounded_numbers_of_people_are_found(tmp_path, column, count):
    assert CELLKEY.threshold % CELLKEY.base == 0
    for name, text in (
        ("a.csv", f"phase,{column}\nprimary,{count}\n"),
        ("a.json", json.dumps({"x": [{"deep": {column: str(count)}}]})),
    ):
        file = write(tmp_path, {name: text}) / name
        with pytest.raises(DisclosureError, match="number of people"):
            check(tmp_path)
        assert "egress_count" not in set(check(tmp_path, published=True)["check"])
        file.unlink()


@pytest.mark.parametrize("count", [0, CELLKEY.threshold, CELLKEY.threshold + CELLKEY.base, 1205])
def test_zero_and_multiples_of_the_base_from_the_threshold_on_may_stand(tmp_path, count):
    write(tmp_path, {"a.csv": f"pupils\n{count}\n", "b.json": json.dumps([{"pupils": count}])})
    assert (check(tmp_path)["result"] == "pass").all()


def test_symbols_blanks_and_words_in_columns_of_counts_are_no_numbers(tmp_path):
    csv = 'phase,pupils\na,c\nb,\nc,"1,205"\nd,low\ne\n'
    write(tmp_path, {"a.csv": csv, "b.json": "{broken", "c.json": '{"pupils": [null, "x"]}'})
    assert (check(tmp_path)["result"] == "pass").all()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("panel.parquet", b"PAR1"),
        ("noending", b"x"),
        ("book.xlsx", b"not a zip"),
        ("figure.png", b"not a picture"),
    ],
)
def test_what_cannot_be_read_through_may_not_leave(tmp_path, name, content):
    write(tmp_path, {name: content})
    with pytest.raises(DisclosureError, match="cannot be read through"):
        check(tmp_path)


def test_a_picture_that_is_no_base64_is_read_as_text(tmp_path):
    write(tmp_path, {"page.html": f"data:image/png;base64,{PUPIL}"})
    assert list(contents.texts("a.html", b"data:image/png;base64,a"))[-1] == "a"
    with pytest.raises(DisclosureError, match="identifier"):
        check(tmp_path)


def test_a_picture_cut_short_is_read_as_far_as_it_goes():
    assert PUPIL in "".join(contents.texts("a.png", picture(id=PUPIL)[:-20]))


def test_packed_text_that_cannot_be_unpacked_is_read_as_it_is():
    assert contents._unpacked(b"key\x00\x78 not packed") == "key\x00x not packed"


def test_an_internal_release_passes_only_where_it_is_allowed(tmp_path):
    write(tmp_path, {"a.csv": f"pupils,stamp\n7,{INTERNAL_STAMP}\n"})
    with pytest.raises(DisclosureError, match="rule 'none'"):
        check(tmp_path, rule=NONE)
    assert (check(tmp_path, rule=NONE, allow_internal=True)["result"] == "pass").all()


def test_many_identifiers_and_large_pages_are_no_obstacle(tmp_path):
    page = " ".join(f"w{number:x}" for number in range(20_000))
    write(tmp_path, {"page.html": page})
    many = [f"B{number:012d}" for number in range(20_000)]
    assert (check(tmp_path, identifiers=many)["result"] == "pass").all()
    with pytest.raises(DisclosureError, match="identifier"):
        check(write(tmp_path, {"last.txt": many[-1]}), identifiers=many)


def test_an_empty_folder_has_nothing_to_find(tmp_path):
    assert (check(tmp_path)["of_rows"] == 0).all()
