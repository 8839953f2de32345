"""Admin pages on a hub: what is said of it, what is never said, and whose forms are taken."""

import asyncio

import pytest

from ngshare_fs.store import course
from ngshare_fs.web.admin import health
from tests.fallible_hub import user
from tests.pages.browsing import words
from tests.signing_in import PREFIX, Service, cookie, page_of, service, sign_in, xsrf_in

__all__ = ["cookie", "service"]


async def signed_in(service: Service) -> str:
    service.hub.owners["page"] = user("root", "access:services")
    return (await sign_in(service)).partition(";")[0]


async def text_of(service: Service, path: str, cookie: str) -> str:
    answer = await service.ask(path, Cookie=cookie, Accept="text/html")
    assert answer.status == 200
    return await answer.text()


async def test_the_hub_is_looked_at_and_no_secret_is_shown(service: Service) -> None:
    cookie = await signed_in(service)
    text = await text_of(service, "pages/admin-health", cookie)
    shown = words(text)
    assert "JupyterHub" in shown
    assert "token" in shown
    hub = service.settings.hub
    assert hub is not None
    for secret in (hub.api_token, cookie.partition("=")[2]):
        assert secret
        assert secret not in text


async def test_a_hub_that_is_gone_is_said_and_waited_for_no_longer(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = await signed_in(service)
    object.__setattr__(service.settings.hub, "api_url", "http://127.0.0.1:9/hub/api/")
    # Nothing of the session asks the hub meanwhile.
    seen = await service.ask("pages/admin-health", Cookie=cookie, Accept="text/html")
    assert seen.status in (200, 503)
    monkeypatch.setattr(health, "HUB_SECONDS", 0.001)
    [found] = await asyncio.to_thread(health.look_at_hub_now, service.settings)
    assert (found.subject, found.ok) == ("hub", False)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("pages/new-course", {"form": "create", "course_name": "n"}),
        ("pages/admin-rename/c", {"form": "rename", "new_name": "n"}),
        ("pages/admin-delete/c", {"form": "delete", "typed_name": "c"}),
    ],
)
async def test_forms_need_what_our_own_page_sends_along(service: Service, path: str, fields: dict[str, str]) -> None:
    course.create(service.volume, "c", ["kevin"])
    cookie = await signed_in(service)
    xsrf = xsrf_in(await page_of(service, cookie))
    own = await text_of(service, path, cookie)
    assert f'name="_xsrf" value="{xsrf}"' in own

    async def sent(token: str, referer: str) -> int:
        answer = await service.client.post(
            PREFIX + path,
            data={"_xsrf": token, **fields},
            headers={"Cookie": cookie, "Referer": referer},
            allow_redirects=False,
        )
        return answer.status

    assert await sent("wrong", service.origin + PREFIX) == 403
    assert await sent("", service.origin + PREFIX) == 403
    assert await sent(xsrf, service.origin + "/user/mallory/") == 403
    assert course.all_courses(service.volume) == ["c"]
    assert await sent(xsrf, service.origin + PREFIX + path) == 303
    assert course.all_courses(service.volume) != ["c"]
