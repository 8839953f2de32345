"""What the start page says and offers."""

import ast
import html
import re

import pytest

from ngshare_fs.store import course
from tests.conftest import Exchange, MakeExchange


async def page(exchange: Exchange, user: str) -> str:
    answer = await exchange.raw("GET", "", user)
    assert answer.status == 200
    return str(answer.body["html"])


def links(text: str) -> dict[str, str]:
    """By their words, where they lead."""
    return {words: html.unescape(target) for target, words in re.findall(r'<a href="([^"]*)">([^<]*)</a>', text)}


@pytest.mark.parametrize(
    "name",
    ['"', 'a "quoted" name', "it's", "both ' and \"", "\\", "a\\", "\n", "</pre>", "zoë", "\u202e", "{{ 7 * 7 }}"],
)
async def test_the_lines_for_nbgrader_are_python_whatever_a_course_is_called(exchange: Exchange, name: str) -> None:
    course.create(exchange.volume, name)
    (code,) = re.findall(r"<pre>(.*?)</pre>", await page(exchange, "root"), re.DOTALL)
    tree = ast.parse(html.unescape(code))
    values = [node.value for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    assert ast.literal_eval(values[-1]) == name


async def test_in_debug_mode_nothing_is_cleared_by_one_click(taught: Exchange) -> None:
    for user in ("kevin", "lawrence", "stranger"):
        offered = links(await page(taught, user))
        assert "dump" in offered
        assert not [target for target in offered.values() if "action=clear" in target or "action=init" in target]
    text = await page(taught, "root")
    asked = text[text.index("<details>") : text.index("</details>")]
    assert "the course of this server" in asked
    assert set(links(text)) - set(links(text.replace(asked, ""))) == {"clear", "clear, and init with test data"}
    answer = await taught.client.get(links(asked)["clear"])
    assert (answer.status, await answer.json()) == (200, {"success": True, "message": "done"})
    assert not (taught.data / "courses/c").exists()


async def test_who_has_nothing_to_lose_may_init(exchange: Exchange) -> None:
    offered = links(await page(exchange, "anybody"))
    assert "clear" not in offered
    answer = await exchange.client.get(offered["init with test data"])
    assert (answer.status, await answer.json()) == (200, {"success": True, "message": "done"})
    assert "init with test data" not in links(await page(exchange, "anybody"))
    assert "all 2 courses of this server" in await page(exchange, "root")
    dump = await exchange.client.get(links(await page(exchange, "anybody"))["dump"])
    assert "<td>challenge</td>" in await dump.text()


async def test_without_debug_mode_nothing_of_it_is_offered(make_exchange: MakeExchange) -> None:
    exchange = await make_exchange(debug=False)
    assert "initialize" not in await page(exchange, "root")


async def test_api_clients_clear_as_before(taught: Exchange) -> None:
    answer = await taught.call("GET", "initialize-Data6ase", "anybody", action="clear")
    assert (answer.status, answer.message) == (200, "done")
