"""With a browser's cookie our own pages change things; pages of others neither change nor read anything."""

import pytest
from aiohttp import ClientResponse

from ngshare_fs.access.cross_site import XSRF_HEADER
from tests.fallible_hub import user
from tests.signing_in import NAVIGATION, PREFIX, Service, cookie, page_of, service, sign_in, xsrf_in

__all__ = ["cookie", "service"]

# What a browser sends with a request of a page: headers besides the cookie, and whether it is believed.
FROM_WITHIN = {"Referer": "ORIGIN" + PREFIX}
CHANGES = [
    ({**FROM_WITHIN, "XSRF": "right"}, True),
    ({**FROM_WITHIN, "XSRF": "right", "Origin": "ORIGIN", "Sec_Fetch_Site": "same-origin"}, True),
    ({**FROM_WITHIN}, False),
    ({**FROM_WITHIN, "XSRF": "wrong"}, False),
    ({**FROM_WITHIN, "XSRF": "ä"}, False),
    ({"XSRF": "right"}, False),
    ({"XSRF": "right", "Origin": "ORIGIN"}, False),
    ({"XSRF": "right", "Referer": "ORIGIN/user/mallory/"}, False),
    ({"XSRF": "right", "Referer": "ORIGIN/services/ngshare-not/"}, False),
    ({"XSRF": "right", "Referer": "http://evil.test" + PREFIX}, False),
    ({"XSRF": "right", "Referer": "http://[" + PREFIX}, False),
    ({"XSRF": "right", "Referer": "ORIGIN/services%2fngshare/"}, False),
    ({"XSRF": "right", "Referer": "ORIGIN/user/mallory" + PREFIX}, False),
    ({"XSRF": "right", "Referer": "ORIGIN/user/mallory?" + PREFIX}, False),
    ({"XSRF": "right", "Referer": "ORIGIN" + PREFIX[:-1]}, False),
    ({"XSRF": "right", "Referer": "ORIGIN@evil.test" + PREFIX}, False),
    ({"XSRF": "right", "Referer": "ORIGIN.evil.test" + PREFIX}, False),
    ({"XSRF": "right", "Referer": "ORIGIN0" + PREFIX}, False),
    ({"XSRF": "right", "Referer": PREFIX}, False),
    ({**FROM_WITHIN, "XSRF": "right", "Origin": "ORIGIN@evil.test"}, False),
    ({**FROM_WITHIN, "XSRF": "right", "Origin": "ORIGIN0"}, False),
    ({**FROM_WITHIN, "XSRF": "right", "Origin": "file://"}, False),
    ({**FROM_WITHIN, "XSRF": "right", "Origin": ""}, False),
    ({**FROM_WITHIN, "XSRF": "right", "Sec_Fetch_Site": "none"}, False),
    ({**FROM_WITHIN, "XSRF": "right", "Origin": "http://evil.test"}, False),
    ({**FROM_WITHIN, "XSRF": "right", "Origin": "null"}, False),
    ({**FROM_WITHIN, "XSRF": "right", "Sec_Fetch_Site": "cross-site"}, False),
    ({**FROM_WITHIN, "XSRF": "right", "Sec_Fetch_Site": "same-site"}, False),
    ({**NAVIGATION}, False),
]


@pytest.mark.parametrize(("headers", "believed"), CHANGES)
async def test_with_a_cookie_only_our_own_pages_change_anything(
    service: Service, cookie: str, headers: dict[str, str], believed: bool
) -> None:
    right = xsrf_in(await page_of(service, cookie))
    sent = {name: text.replace("ORIGIN", service.origin) for name, text in headers.items() if name != "XSRF"}
    if "XSRF" in headers:
        sent[XSRF_HEADER] = right if headers["XSRF"] == "right" else headers["XSRF"]
    response = await service.ask("course/c", "POST", Cookie=cookie, **sent)
    assert response.status == (200 if believed else 403)
    assert (service.settings.data / "courses/c").exists() == believed
    if not believed:
        assert "Not sent by a page of this service" in (await response.json())["message"]


@pytest.mark.parametrize(
    ("headers", "believed"),
    [
        ({**NAVIGATION}, True),
        ({**NAVIGATION, "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document", "Sec_Fetch_Site": "none"}, True),
        ({**NAVIGATION, "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"}, False),
        ({"Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty", "Sec_Fetch_Site": "same-origin"}, False),
        ({**NAVIGATION, "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "script"}, False),
        ({}, False),
    ],
)
async def test_with_a_cookie_other_pages_read_nothing(
    service: Service, cookie: str, headers: dict[str, str], believed: bool
) -> None:
    for path in ("", "courses"):
        response = await service.ask(path, Cookie=cookie, **headers)
        assert response.status == (200 if believed else 403)


@pytest.mark.parametrize(
    ("headers", "believed"),
    [
        ({}, False),
        ({"Sec_Fetch_Site": "none"}, True),
        ({"Referer": "ORIGIN" + PREFIX}, True),
        ({"Sec_Fetch_Site": "same-origin", "Referer": "ORIGIN" + PREFIX}, True),
        ({"Sec_Fetch_Site": "same-origin", "Referer": "ORIGIN/user/mallory/"}, False),
        ({"Sec_Fetch_Site": "same-origin"}, False),
        ({"Sec_Fetch_Site": "cross-site"}, False),
        # Work that is shown below the prefix, in its sandbox: it may say where its links are, and is of no origin.
        ({"Sec_Fetch_Site": "cross-site", "Referer": "ORIGIN" + PREFIX + "pages/c/a"}, False),
        ({"Referer": "http://evil.test/"}, False),
    ],
)
async def test_a_get_that_changes_something_is_typed_or_a_link_of_our_own_page(
    service: Service, cookie: str, headers: dict[str, str], believed: bool
) -> None:
    sent = {name: text.replace("ORIGIN", service.origin) for name, text in headers.items()}
    response = await service.ask("initialize-Data6ase?action=init", Cookie=cookie, **NAVIGATION, **sent)
    assert response.status == (200 if believed else 403)
    assert (service.settings.data / "courses/course1").exists() == believed


async def test_signing_out_needs_the_form_of_our_page(service: Service, cookie: str) -> None:
    xsrf = xsrf_in(await page_of(service, cookie))

    async def sign_out(token: str, referer: str) -> ClientResponse:
        response: ClientResponse = await service.client.post(
            PREFIX + "sign-out", data={"_xsrf": token}, headers={"Cookie": cookie, "Referer": referer}
        )
        return response

    assert (await sign_out("wrong", service.origin + PREFIX)).status == 403
    assert (await sign_out(xsrf, service.origin + "/user/mallory/")).status == 403
    response = await sign_out(xsrf, service.origin + PREFIX)
    assert response.status == 200
    assert response.headers["Set-Cookie"].startswith('ngshare-session="";')
    assert "/hub/logout" in await response.text()


async def test_pages_have_the_headers_that_keep_them_to_themselves(service: Service, cookie: str) -> None:
    pages = [
        await service.ask("", Cookie=cookie, **NAVIGATION),
        await service.ask("oauth_callback?state=x", **NAVIGATION),
        await service.ask(
            "initialize-Data6ase?action=dump&human-readable=true",
            Cookie=cookie,
            Sec_Fetch_Site="none",
            **NAVIGATION,
        ),
        await service.ask("nowhere", **NAVIGATION),
    ]
    for response in pages:
        assert response.content_type == "text/html"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert response.headers["Cache-Control"] == "no-store"
    for response in [*pages, await service.ask("courses"), await service.ask("healthz")]:
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_names_on_a_page_are_text(service: Service) -> None:
    service.hub.owners["page"] = user("<script>alert(1)</script>", "access:services")
    cookie = (await sign_in(service)).partition(";")[0]
    page = await page_of(service, cookie)
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


async def test_a_sign_out_of_another_site_takes_nothing_away(service: Service) -> None:
    response = await service.ask("sign-out", "POST", Origin="http://evil.test", Sec_Fetch_Site="cross-site")
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("kind", ["multipart/form-data", "application/x-www-form-urlencoded; charset=foo"])
async def test_a_sign_out_that_is_no_form_is_refused(service: Service, cookie: str, kind: str) -> None:
    response = await service.client.post(
        PREFIX + "sign-out", data=b"x=\xff", headers={"Cookie": cookie, "Content-Type": kind}
    )
    assert response.status in (400, 403)
