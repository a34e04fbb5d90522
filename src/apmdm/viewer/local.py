"""A page shown in the browser of this machine, by a server that nobody else reaches."""

import asyncio
import signal
import socket
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

HOST = "127.0.0.1"
CONNECTIONS, LISTEN, GRACE = 100, 128, 1
"""How many connections are served at once, how many more wait, and for how many seconds runs may end at shutdown."""


class OnlyThisMachine:
    """Refuses what another site's page, or another name for this machine, asks for."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self.app = app
        self.hosts = {f"{name}:{port}" for name in (HOST, "localhost")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = [(name.lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        hosts = [value for name, value in headers if name == b"host"]
        origins = {value.removeprefix("http://") for name, value in headers if name == b"origin"}
        sites = {value for name, value in headers if name == b"sec-fetch-site"}
        own = len(hosts) == 1 and set(hosts) <= self.hosts
        if not own or not origins <= self.hosts or not sites <= {"same-origin", "none"}:
            answer = HTMLResponse("this page is for the browser of this machine only\n", 403)
            return await answer(scope, receive, send)
        await self.app(scope, receive, send)


def show(html: str, tell: Callable[[str], None], port: int = 0, opened: bool = True) -> None:
    """Serve one page until Ctrl-C. tell: is given the address."""

    async def whole(request: Request) -> HTMLResponse:
        return HTMLResponse(html, headers={"Cache-Control": "no-store"})

    run(Starlette(routes=[Route("/", whole)]), tell, port, opened)


class Server(uvicorn.Server):
    """Ends what is under way when it is asked to end."""

    closing: Callable[[], None]

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.closing()
        super().handle_exit(sig, frame)


def run(
    app: ASGIApp,
    tell: Callable[[str], None],
    port: int = 0,
    opened: bool = True,
    closing: Callable[[], None] = lambda: None,
) -> None:
    """Serve an application on this machine until Ctrl-C or SIGTERM.

    port: 0 for any that is free. opened: open the address in a browser. tell: is given the address.
    closing: called when the server is asked to end, before it waits for answers under way.
    Raises OSError if the port is taken.
    """
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(LISTEN)
        port = listening.getsockname()[1]
        config = uvicorn.Config(
            OnlyThisMachine(app, port),
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            limit_concurrency=CONNECTIONS,
            timeout_graceful_shutdown=GRACE,
        )
        address = f"http://{HOST}:{port}/"
        tell(f"{address}   Ctrl-C ends it")
        if opened:
            with suppress(webbrowser.Error):
                webbrowser.open(address)
        handlers = {which: signal.getsignal(which) for which in (signal.SIGINT, signal.SIGTERM)}
        try:
            server = Server(config)
            server.closing = closing
            asyncio.run(server.serve([listening]))
        except KeyboardInterrupt:
            pass
        finally:
            for which, handler in handlers.items():
                signal.signal(which, handler)
