"""What is taken from a notebook to be shown: text and pictures, within bounds."""

import base64
import json
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngshare_fs.web.untrusted import notebook
from ngshare_fs.web.untrusted.notebook import Notebook, NotShown, Output
from ngshare_fs.web.untrusted.terminal_text import readable
from ngshare_fs.web.untrusted.views import JPEG_START, PNG_START

PNG = base64.b64encode(PNG_START + b"rest").decode()
JPEG = base64.b64encode(JPEG_START + b"rest").decode()
SECONDS = 20  # far more than it takes, and far less than what grows with the square


def of(*cells: Any, **more: Any) -> bytes:
    return json.dumps({"nbformat": 4, "cells": list(cells), **more}).encode()


def code(*outputs: Any, source: Any = "x", **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "outputs": list(outputs), **more}


def display(**data: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {kind.replace("_", "/"): text for kind, text in data.items()}}


def output(one: Any) -> Output:
    return notebook.read(of(code(one))).cells[0].outputs[0]


def test_cells_of_all_kinds() -> None:
    shown = notebook.read(
        of(
            {"cell_type": "markdown", "source": ["# T\n", "<b>x</b>"]},
            code({"output_type": "stream", "name": "stdout", "text": ["1\n", "2"]}, source="f(<)", execution_count=3),
            {"cell_type": "raw", "source": "r"},
        )
    )
    markdown, executed, raw = shown.cells
    assert (markdown.kind, markdown.text) == ("markdown", "# T\n<b>x</b>")
    assert (executed.kind, executed.text, executed.number) == ("code", "f(<)", "3")
    assert executed.outputs == [Output("text", "1\n2")]
    assert (raw.kind, raw.text) == ("raw", "r")
    assert shown.more_cells == 0


def test_format_3() -> None:
    cells = [
        {"cell_type": "heading", "level": 1, "source": "T"},
        {
            "cell_type": "code",
            "input": ["1 + 1"],
            "prompt_number": 7,
            "outputs": [
                {"output_type": "pyout", "prompt_number": 7, "text": ["2"]},
                {"output_type": "display_data", "png": PNG, "text": ["<Figure>"]},
                {"output_type": "pyerr", "ename": "E", "evalue": "v", "traceback": ["\x1b[31mE\x1b[0m: v"]},
            ],
        },
    ]
    content = json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]}).encode()
    heading, executed = notebook.read(content).cells
    assert (heading.kind, heading.text) == ("markdown", "T")
    assert (executed.text, executed.number) == ("1 + 1", "7")
    assert executed.outputs == [
        Output("text", "2"),
        Output("picture", "<Figure>", f"data:image/png;base64,{PNG}"),
        Output("error", "E: v"),
    ]


def test_of_an_output_only_pictures_and_text_are_taken() -> None:
    assert output(display(text_html="<script>x()</script>", text_plain="x")) == Output("text", "x")
    assert output(display(image_png=PNG, text_html="<b>")) == Output("picture", "", f"data:image/png;base64,{PNG}")
    assert output(display(image_jpeg=JPEG)).picture == f"data:image/jpeg;base64,{JPEG}"
    for kind in ("text_html", "image_svg+xml", "application_javascript", "text_latex", "text_markdown"):
        assert output(display(**{kind: "<script>x()</script>"})) == Output("other", kind.replace("_", "/", 1))


@pytest.mark.parametrize(
    "encoded",
    [
        '" onerror="x()', PNG + '" onerror="x()', base64.b64encode(b"<svg onload=x()>").decode(), PNG[:-1], PNG + "=",
        JPEG, "\u00e4", "", [], {"a": 1}, None, 5, ["<script>", PNG],
    ],
)  # fmt: skip
def test_what_is_no_picture_is_not_shown_as_one(encoded: Any) -> None:
    assert output(display(image_png=encoded, text_plain="plain")) == Output("text", "plain")


def test_base64_in_lines_is_a_picture() -> None:
    assert output(display(image_png=[PNG[:5] + "\n", PNG[5:] + "\n"])).picture == f"data:image/png;base64,{PNG}"


def test_terminal_codes() -> None:
    traceback = ["\x1b[0;31m----\x1b[0m", "\x1b]8;;http://x.test\x07link\x1b]8;;\x1b\\", "\x1b(Bplain\x1b[", "a\rb\x08"]
    assert output({"output_type": "error", "traceback": traceback}).text == "----\nlink\nplain\nb\\u0008"
    assert output({"output_type": "error", "ename": "E", "evalue": "v", "traceback": []}).text == "E: v"
    assert readable(" 10%\r 50%\r100%\r\ndone") == "100%\ndone"
    assert readable("if x: \u202e # }") == "if x: \\u202e # }"


@given(st.text(st.sampled_from("\x1b[]();m0K\x07\\\r\n\u202eax"), max_size=60))
def test_nothing_hidden_is_left(text: str) -> None:
    found = readable(text)
    assert not set(found) & set("\x1b\x07\r\u202e")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b"4", b"\xff\xfe", b"\x80", b'{"nbformat": 4}', b'{"nbformat": 2, "cells": []}',
        b'{"nbformat": 4, "cells": {}}', b'{"nbformat": 4, "cells": [1]}', b'{"nbformat": 4, "cells": [[]]}',
        b'{"nbformat": 3, "worksheets": {}}', b'{"nbformat": 3, "worksheets": [1]}', b"[" * 100_000,
        b'{"a":' * 100_000, b"1" * 1_000_000, b'{"nbformat": 4, "cells": [{"cell_type": "code", "outputs": 1}]}',
        b'{"nbformat": 4, "cells": [{"cell_type": "code", "outputs": [1]}]}', b"<html>", b"\x89PNG",
        b'{"nbformat": NaN}',
        b'{"nbformat": 4, "cells": [{"cell_type": "code", "outputs": [{"data": []}]}]}',
    ],
    ids=lambda content: content[:20].decode("latin-1").encode("unicode_escape").decode(),
)  # fmt: skip
def test_what_is_no_notebook(content: bytes) -> None:
    with pytest.raises(NotShown) as refused:
        notebook.read(content)
    assert str(refused.value) == "preview.notebook-broken"


@pytest.mark.parametrize(
    "content",
    [b" " * (notebook.LARGEST + 1), b"[" + b"[]," * notebook.MOST_MARKS + b"1]"],
    ids=["bytes", "values"],
)
def test_what_is_too_large(content: bytes) -> None:
    with pytest.raises(NotShown, match=r"preview\.notebook-too-large"):
        notebook.read(content)


def shown_in_all(found: Notebook) -> int:
    texts = [cell.text for cell in found.cells] + [each.text for cell in found.cells for each in cell.outputs]
    return sum(map(len, texts))


def test_what_is_shown_is_bounded() -> None:
    long, stream = "x" * (notebook.LONGEST_TEXT + 1), {"output_type": "stream", "text": "y"}
    found = notebook.read(of(code(source=long), code(*[stream] * (notebook.MOST_OUTPUTS + 3)), *[code()] * 1500))
    assert found.more_cells == 1502 - notebook.MOST_CELLS
    assert (len(found.cells[0].text), found.cells[0].is_cut) == (notebook.LONGEST_TEXT, True)
    assert (len(found.cells[1].outputs), found.cells[1].more_outputs) == (notebook.MOST_OUTPUTS, 3)
    found = notebook.read(of(*[code(source="x" * notebook.LONGEST_TEXT)] * 60))
    assert shown_in_all(found) == notebook.LONGEST_IN_ALL
    assert [cell.is_cut for cell in found.cells] == [False] * 20 + [True] * 40


def hostile_contents() -> dict[str, bytes]:
    """As large as is let in, of what takes long or much memory somewhere."""
    room = notebook.LARGEST - 200
    text = "\x1b]" * (room // 14)
    return {
        "escapes": of(code({"output_type": "error", "traceback": [text]})),
        "sequences": of(code({"output_type": "error", "traceback": ["\x1b[" + "0" * (room // 2)]})),
        "many lines": of({"cell_type": "raw", "source": ["\r"] * 200_000}),
        "returns": of(code({"output_type": "stream", "text": "\r" * (room // 4)})),
        "digits": b'{"nbformat": 4, "cells": [], "x": ' + b"1" * room + b"}",
        "fractions": b'{"nbformat": 4, "cells": [], "x": 0.' + b"1" * room + b"e5}",
        "lists": b'{"nbformat": 4, "cells": [], "x": [' + b"[]," * (notebook.MOST_MARKS // 2 - 10) + b"1]}",
        "objects": b'{"nbformat": 4, "cells": [], "x": [' + b'{"":1},' * (notebook.MOST_MARKS // 2 - 10) + b"1]}",
        "wide letters": '{"nbformat": 4, "cells": [], "x": "\U0001f600'.encode() + b"x" * room + b'"}',
        "spaces in base64": of(code(display(image_png=" " * (notebook.LARGEST_PICTURE - 1) + "x"))),
    }


@pytest.mark.parametrize("what", sorted(hostile_contents()))
def test_the_largest_takes_neither_long_nor_much(what: str) -> None:
    content = hostile_contents()[what]
    assert len(content) <= notebook.LARGEST
    tracemalloc.start()
    begun = time.process_time()
    try:
        notebook.read(content)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert time.process_time() - begun < SECONDS
    assert most < 128 * 2**20


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["code", PNG, "<b>", "error"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "cell_type",
                    "source",
                    "outputs",
                    "output_type",
                    "data",
                    "text",
                    "traceback",
                    "image/png",
                    "png",
                    "ename",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=3), st.sampled_from([3, 4]))
def test_whatever_is_in_it_it_is_shown_or_refused(cells: list[Any], version: int) -> None:
    document = {"nbformat": version, "cells": cells, "worksheets": [{"cells": cells}]}
    try:
        found = notebook.read(json.dumps(document).encode())
    except NotShown:
        return
    for cell in found.cells:
        assert cell.kind in ("code", "markdown", "raw")
        for each in cell.outputs:
            assert each.kind in ("text", "error", "picture", "other")
            assert not each.picture or each.picture.startswith(("data:image/png;base64,", "data:image/jpeg;base64,"))
            each.text.encode()
