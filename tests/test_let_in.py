"""Users and services of a hub: who is let in with a token, and as whom."""

from typing import Any

import pytest

from ngshare_fs.access.identity import TOKEN
from tests.signing_in import Service, again, service

__all__ = ["again", "service"]


async def test_a_token_lets_its_owner_in_if_it_is_for_this_service_or_of_the_own_server(service: Service) -> None:
    for token in ("server", "page", "root"):
        assert await service.status(token) == (200, ""), token
    for token in ("none", "other"):
        status, message = await service.status(token)
        assert status == 403
        assert "access:services!service=ngshare" in message
    for header in ("token server", "Token server", "Bearer server", "bearer   server"):
        assert (await service.ask("courses", Authorization=header)).status == 200
    for header in ("server", "Basic server", "token", "token a b", "token ä", "token " + "x" * 2000):
        assert (await service.ask("courses", Authorization=header)).status == 403, header
    assert "a b" not in service.hub.calls


async def test_a_missing_scope_is_told_to_the_operator_once(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    for token in ("none", "other", "none"):
        assert (await service.status(token))[0] == 403
    (said,) = [record.getMessage() for record in caplog.records if "missing scope" in record.getMessage()]
    assert "'ada'" in said
    assert 'the role "user" with "self", "access:services!service=ngshare"' in said
    assert "\n" not in said


async def test_where_the_scope_is_required_the_own_server_is_not_enough(service: Service, again: Any) -> None:
    strict = await again(service, require_service_scope=True)
    assert (await strict.status("server"))[0] == 403
    assert (await strict.status("page"))[0] == 200


async def test_services_are_let_in_by_name_and_never_as_users(service: Service) -> None:
    await service.ask('course/c?instructors=["kevin"]', "POST", Authorization="token root")
    status, message = await service.status("kevin")
    assert (status, "--services" in message) == (403, True)
    assert (await service.status("like"))[0] == 403
    assert (await service.ask("course/d", "POST", Authorization="token grader")).status == 200
    assert (await service.ask("course/e", "POST", Authorization="token reader")).status == 403
    assert await service.status("reader") == (200, "")
    dump = await (await service.ask("initialize-Data6ase?action=dump", Authorization="token reader")).json()
    assert "service:reader" in {entry["id"] for entry in dump["users"]}


async def test_the_hubs_admins_are_admins_only_if_that_is_wanted(service: Service, again: Any) -> None:
    assert (await service.ask("course/c", "POST", Authorization="token boss")).status == 403
    wanted = await again(service, hub_admins=True)
    assert (await wanted.ask("course/c", "POST", Authorization="token boss")).status == 200


async def test_neither_arguments_nor_the_address_say_who_is_asking(service: Service) -> None:
    assert (await service.ask("courses?user=root")).status == 403
    assert (await service.ask("courses?token=root")).status == 403
    assert (await service.ask("course/c?user=root", "POST", Authorization="token server")).status == 403
    assert (await service.ask("courses", Authorization="token user:root")).status == 403


async def test_without_the_hub_it_is_said_when_to_try_again(service: Service) -> None:
    service.hub.broken = (500, "")
    response = await service.ask("courses", Authorization="token server")
    assert response.status == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "server" not in await response.text()


def test_what_looks_like_no_token_is_none() -> None:
    assert TOKEN.fullmatch("token abc")
    assert not TOKEN.fullmatch("token abc\n")
