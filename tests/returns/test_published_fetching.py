import hashlib
import json
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.returns import published_example as example
from vsh_eval.contracts import ContractError
from vsh_eval.returns.published import fetch, read_published
from vsh_eval.returns.published.fetching import MANIFEST


class Quiet(SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/elsewhere.csv":
            self.send_response(302)
            self.send_header("Location", "ftp://127.0.0.1/absence.csv")
            self.end_headers()
        elif self.path == "/closed.csv":
            self.send_error(403)
        else:
            super().do_GET()

    def log_message(self, *_args):
        pass


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder and the address it is served at."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "site"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_recognised_files_of_a_folder_are_copied_with_their_hashes(tmp_path):
    source = example.write(tmp_path / "source" / "data").parent
    (source / "readme.csv").write_text("a,b\n")
    to = tmp_path / "to"
    files = fetch(to, from_=source)
    assert [path.relative_to(to).as_posix() for path in files] == ["data/absence.csv",
        "data/key_stage_2.csv", "data/key_stage_4.csv", "data/comparators.csv",
        "data/neighbours.csv"]  # fmt: skip
    assert not (to / "readme.csv").exists()
    listed = json.loads((to / MANIFEST).read_text())["files"]
    assert [to / entry["file_name"] for entry in listed] == files
    for entry, path in zip(listed, files, strict=True):
        assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert listed[0] | {"sha256": ""} == {"file_name": "data/absence.csv", "role": "absence",
        "rows": 189, "sha256": "", "vintage": "2024/25 release"}  # fmt: skip
    assert read_published(to).vintage == "2024/25 release"


def test_a_folder_without_published_files_is_refused(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.csv").write_text("a,b\n")
    with pytest.raises(ContractError, match="folder 'source' holds none"):
        fetch(tmp_path / "to", from_=tmp_path / "source")
    assert not (tmp_path / "to").exists()


def test_a_folder_cannot_be_filled_from_itself(tmp_path):
    example.write(tmp_path)
    with pytest.raises(ContractError, match="lies in the folder it is to be filled from"):
        fetch(tmp_path / "to", from_=tmp_path)


def test_what_was_fetched_can_be_fetched_from_an_address(site, tmp_path):
    folder, address = site
    fetch(folder, from_=example.write(tmp_path / "source" / "data").parent)
    files = fetch(tmp_path / "to", from_=address + "/")
    assert len(files) == 5
    assert (tmp_path / "to" / MANIFEST).read_text() == (folder / MANIFEST).read_text()


def test_without_a_manifest_the_usual_names_are_tried(site, tmp_path):
    folder, address = site
    example.write(folder)
    shutil.move(folder / "absence.csv", folder / "absence_la.csv")
    files = fetch(tmp_path / "to", from_=address)
    assert [path.name for path in files] == ["absence_la.csv"]


def test_one_file_can_be_named(site, tmp_path):
    folder, address = site
    example.write(folder)
    files = fetch(tmp_path / "to", from_=f"{address}/key_stage_4.csv?download=1")
    assert [path.name for path in files] == ["key_stage_4.csv"]


def test_a_download_that_is_no_published_file_is_refused_and_nothing_written(site, tmp_path):
    folder, address = site
    example.write(folder)
    shutil.move(folder / "absence.csv", folder / "absence_la.csv")
    (folder / "ks2_la.csv").write_text("<!doctype html><title>Sign in</title>\n")
    with pytest.raises(ContractError, match=r"ks2_la\.csv has not the header"):
        fetch(tmp_path / "to", from_=address)
    assert not (tmp_path / "to").exists()


def test_a_download_with_another_hash_is_refused(site, tmp_path):
    folder, address = site
    fetch(folder, from_=example.write(tmp_path / "source"))
    with (folder / "key_stage_4.csv").open("a") as stream:
        stream.write("\n")
    with pytest.raises(ContractError, match=r"key_stage_4\.csv has another hash"):
        fetch(tmp_path / "to", from_=address)


@pytest.mark.parametrize("name", ["../up.csv", "/etc/up.csv", "..\\up.csv", ""])
def test_a_manifest_cannot_name_a_file_outside_the_folder(site, tmp_path, name):
    folder, address = site
    entry = {"file_name": name, "sha256": ""}
    (folder / MANIFEST).write_text(json.dumps({"files": [entry]}))
    with pytest.raises(ContractError, match="must be a name within the folder"):
        fetch(tmp_path / "to", from_=address)


@pytest.mark.parametrize("text", ["[]", "{", '{"files": [{"name": "a.csv"}]}', '{"files": 3}'])
def test_a_manifest_that_is_none_is_refused(site, tmp_path, text):
    folder, address = site
    (folder / MANIFEST).write_text(text)
    with pytest.raises(ContractError, match="is not a list of files"):
        fetch(tmp_path / "to", from_=address)


def test_an_address_that_holds_nothing_is_refused(site, tmp_path):
    _, address = site
    with pytest.raises(ContractError, match=r"holds no manifest\.json and none of absence_la"):
        fetch(tmp_path / "to", from_=address)
    with pytest.raises(ContractError, match=r"gone\.csv is not there \(404\)"):
        fetch(tmp_path / "to", from_=f"{address}/gone.csv")


def test_an_address_that_does_not_answer_is_refused(tmp_path, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ContractError, match="does not answer"):
        fetch(tmp_path / "to", from_="http://127.0.0.1:9")


def test_a_closed_address_and_one_that_leads_elsewhere_are_refused(site, tmp_path):
    _, address = site
    with pytest.raises(ContractError, match=r"closed\.csv answers 403"):
        fetch(tmp_path / "to", from_=f"{address}/closed.csv")
    with pytest.raises(ContractError, match=r"elsewhere\.csv does not answer .*unknown url type"):
        fetch(tmp_path / "to", from_=f"{address}/elsewhere.csv")
