"""What the plug-ins get from a server is checked before it is written."""

import base64
import errno
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.exchange.failures.problems import UntrustworthyAnswer
from ngshare_fs.exchange.folders import replacing
from ngshare_fs.exchange.receiving import received_tree
from ngshare_fs.exchange.receiving.tree_in_answer import LONGEST_TEXT
from ngshare_fs.formats.json_stream import NotJson
from tests.faulty_proxy import Fault, FaultyProxy
from tests.plug_in_client import ASSIGNMENT, COURSE, api, arrived, entry, no_matter, parts, proxy

__all__ = ["parts", "proxy"]


@pytest.mark.parametrize(
    "files",
    [
        None,
        "text",
        [1],
        [{"path": "a"}],
        [entry("../a")],
        [entry("/a")],
        [entry("")],
        [entry("a//b")],
        [entry("a/./b")],
        [entry("a/..")],
        [entry("a\0")],
        [entry(1)],
        [entry("a\ud800")],
        [entry("a", "YWI")],
        [entry("a", "YW=I")],
        [entry("a", "YWI=YWI=")],
        [entry("a", "YW-I")],
        [entry("a", "YW\ud800I")],
        [entry("a", "\0")],
        [entry("a", None)],
        [entry("a", ["YWI="])],
        [entry("a", {"content": "YWI="})],
        [entry("a", checksum="0" * 32)],
        [entry("a", checksum=1)],
        [entry("a"), entry("b", checksum="0" * 32)],
        {"a": entry("a")},
    ],
)
def test_answers_that_would_do_harm_are_refused(files: Any, parts: str) -> None:
    answer = arrived(json.dumps({"files": files}), parts)
    with pytest.raises(UntrustworthyAnswer):
        list(received_tree.check_tree(answer))


def test_damage_is_said_to_be_damage(parts: str) -> None:
    for damaged in (entry("data/a", "YW-I"), entry("data/a", checksum="0" * 32)):
        with pytest.raises(UntrustworthyAnswer, match=r"data/a was damaged on the way: .* Try again\."):
            list(received_tree.check_tree(arrived(json.dumps({"files": [damaged]}), parts)))


@pytest.mark.parametrize("size", [1, 3, 7, 2**20])
def test_an_answer_is_understood_as_json_is(size: int, parts: str) -> None:
    content = bytes(range(256)) * 3
    wrapped = base64.encodebytes(content).decode()  # as ngshare does, with line breaks
    files = [entry("größe/m²😀", checksum=hashlib.md5(b"ab").hexdigest()), entry("", ""), entry("c", wrapped)]
    answer = {
        "success": True,
        "timestamp": "2020-01-01 00:00:00 UTC",
        "files": files,
        "content": "no content", "more": [{"content": [1, -2.5e3, None, True, {}, []]}, "\\\"/\b\n\ud83d"],
    }  # fmt: skip
    for text in (json.dumps(answer), json.dumps(answer, ensure_ascii=False).replace("\ud83d", "\\ud83d")):
        found = arrived(text.encode(), parts, size)
        came = [file.pop("content") for file in found["files"]]
        assert [Path(part.place).read_bytes() for part in came] == [b"ab", b"", content]
        assert [part.size for part in came] == [2, 0, len(content)]
        assert [part.md5 for part in came] == [hashlib.md5(each).hexdigest() for each in (b"ab", b"", content)]
        rest = [{key: value for key, value in file.items() if key != "content"} for file in files]
        assert found == {**answer, "files": rest}
        assert len(os.listdir(parts)) == 3


@pytest.mark.parametrize(
    "text", ["", "{", '{"files": [{"content": "YW', '{"a": "\\x"}', '{"files": [{"content": "\\q"}]}', "{}{}", "<p>"]
)
def test_what_is_no_answer_is_said_to_be_none(text: str, parts: str) -> None:
    with pytest.raises(NotJson):
        arrived(text, parts)


def test_a_text_without_an_end_is_not_held(parts: str) -> None:
    with pytest.raises(NotJson, match="a text is too long"):
        arrived('{"message": "' + "x" * (LONGEST_TEXT + 1) + '"}', parts)


@pytest.mark.parametrize(
    "paths",
    [
        ["a", "a/b"],
        ["a/b", "a"],
        ["a" * 256],
        ["x/" + "a" * 256 + "/b"],
        ["x/" * 1000 + "b"],
        [("x" * 30 + "/") * 200 + "b"],
    ],
)
def test_paths_that_cannot_be_stored_here_are_a_problem(paths: list[str], parts: str, tmp_path: Path) -> None:
    target = tmp_path / "above" / "target"
    answer = arrived(json.dumps({"files": [entry(path) for path in paths]}), parts)
    with (
        pytest.raises(UntrustworthyAnswer, match="cannot be stored here"),
        replacing.replacing_folder(str(target), no_matter) as place,
    ):
        received_tree.write_tree(place.tree, received_tree.check_tree(answer))
    assert not target.parent.exists()


def test_a_tree_goes_from_one_disk_to_another(parts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace

    def replace_on_a_disk(source: str, target: str) -> None:
        if os.path.dirname(source) == parts:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        replace(source, target)

    files = list(received_tree.check_tree(arrived(json.dumps({"files": [entry("a/b")]}), parts)))
    monkeypatch.setattr(os, "replace", replace_on_a_disk)
    received_tree.write_tree(str(tmp_path / "tree"), files)
    assert (tmp_path / "tree/a/b").read_bytes() == b"ab"
    assert os.listdir(tmp_path / "tree/a") == ["b"]
    assert os.listdir(parts) == []


def test_a_line_that_is_none_is_said_to_be(proxy: FaultyProxy, parts: str) -> None:
    for body in (b"<p>\n", b"[]\n", b'{"a"\n', b'{"success": true}\n'):
        proxy.faults.append(Fault(status=200, body=body))
        with pytest.raises(UntrustworthyAnswer):
            list(api(proxy.url, "kevin").collect(COURSE, ASSIGNMENT, {"ann": "2020-01-01 00:00:00 UTC"}, None, parts))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "a\0", "a\ud800"])
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(UntrustworthyAnswer):
        received_tree.check_component(name, "user name")


@pytest.mark.parametrize(
    "text",
    [None, 1, "", "..", "2020-01-01", "2020-01-01 00:00:00/..", "2020-01-01 00:00:00 ../x", "2020-02-30 00:00:00"],
)
def test_timestamps_that_are_none_are_refused(text: object) -> None:
    with pytest.raises(UntrustworthyAnswer):
        received_tree.check_timestamp(text)
    assert received_tree.check_timestamp("2020-01-01 00:00:00.000001 UTC")
    assert received_tree.check_timestamp("2020-01-01 00:00:00.000001")
