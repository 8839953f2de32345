"""What is answered is what the OpenAPI document says."""

from typing import Any

import jsonschema
import pytest

from tests.conftest import Exchange

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
