"""What is answered is what the OpenAPI document says."""

from typing import Any

import jsonschema
import pytest

from tests.conftest import Exchange
from tests.trees import tree

DEBUG = "initialize-Data6ase"


async def content(exchange: Exchange, path: str) -> dict[str, Any]:
    """What a GET of this path may answer with, by its type."""
    document = (await exchange.raw("GET", "openapi.json", "root")).body
    found: dict[str, Any] = document["paths"]["/" + path]["get"]["responses"]["200"]["content"]
    return found


@pytest.mark.parametrize("action", ["init", "dump", "clear"])
async def test_what_debug_mode_does(exchange: Exchange, action: str) -> None:
    assert (await exchange.call("GET", DEBUG, "root", action="init")).status == 200
    answer = await exchange.call("GET", DEBUG, "root", action=action)
    assert answer.status == 200
    schema = (await content(exchange, DEBUG))["application/json"]["schema"]
    jsonschema.validate(answer.body, schema, jsonschema.Draft202012Validator)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**answer.body, "more": 1}, schema, jsonschema.Draft202012Validator)


async def test_only_a_dump_is_a_page_and_only_where_one_is_wanted(exchange: Exchange) -> None:
    wanted = {"human-readable": "true"}
    filled = await exchange.call("GET", DEBUG, "root", action="init", **wanted)
    assert filled.body == {"success": True, "message": "done"}
    page = await exchange.call("GET", DEBUG, "root", action="dump", **wanted)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<td>challenge</td>" in page.body["html"]
    assert "text/html" in await content(exchange, DEBUG)
    assert "text/html" not in await content(exchange, "courses")
    assert (await exchange.call("GET", DEBUG, "root", action="dump", **{"human-readable": "1"})).body["success"]


async def test_answers_with_dates(taught: Exchange) -> None:
    document = (await taught.raw("GET", "openapi.json", "root")).body
    files = tree({"p.ipynb": b"{}"})
    for method, path, user, fields in (
        ("PATCH", "assignment/c/a", "kevin", {"release": "2020-01-01", "due": "2020-01-02", "close": "2090-01-01"}),
        ("PUT", "extension/c/a/lawrence", "kevin", {"due": "2090-01-02", "reason": "ill"}),
        ("GET", "extensions/c/a", "kevin", {}),
        ("GET", "assignment/c/a", "lawrence", {}),
        ("POST", "submission/c/a", "lawrence", {"files": files}),
        ("POST", "submission/c/a", "kevin", {"files": files}),
        ("GET", "listing", "lawrence", {}),
        ("GET", "listing", "kevin", {"submissions": "all"}),
        ("POST", "assignment/c/new", "kevin", {"files": files, "due": "2090-01-01"}),
        ("DELETE", "extension/c/a/lawrence", "kevin", {}),
    ):
        answer = await taught.call(method, path, user, **fields)
        assert answer.status == 200, (path, answer)
        names = ("/{course}", "/{assignment}", "/{user}")
        declared = "/" + path.partition("/")[0] + "".join(names[: path.count("/")])
        operation = document["paths"][declared][method.lower()]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.validate(answer.body, schema, jsonschema.Draft202012Validator)
        in_body = method not in ("GET", "DELETE")
        assert ("requestBody" in operation) == in_body
