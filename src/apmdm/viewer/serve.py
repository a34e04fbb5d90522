"""The server of the live page: a problem comes in, the frames of its run go out as server-sent events.

    GET /       the page
    POST /run   {"task", "by", "problem", "options"}: a stream of the events queued, opening, frames, and end or error

One run is made at a time, in the order of the requests; a run ends when its reader leaves.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from apmdm.viewer.bundle import page
from apmdm.viewer.offers import Offer
from apmdm.viewer.watch import Limits, Start, Watch

READ_SECONDS, RETRY_SECONDS, SPARE_SECONDS = 10, 5, 120
"""For a request to arrive, before a client that was told `busy` asks again, and for a reader after a run's own time."""
CLOSING = "error", '{"message": "the server closes"}'
HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]


def application(offers: list[Offer], limits: Limits = Limits()) -> Starlette:  # noqa: B008
    """The server for these tasks. Its `state.close` ends all runs."""
    known = {offer.name: offer for offer in offers}
    html = page("apmdm", [], {"tasks": [offer.about() for offer in offers]})
    desk = Desk(limits)

    async def front(request: Request) -> Response:
        return HTMLResponse(html, headers={"Cache-Control": "no-store"})

    async def run(request: Request) -> Response:
        try:
            asked = _asked(await _body(request, limits.body))
            offer = known.get(asked["task"])
            if offer is None:
                raise RefusedError(f"there is no task {asked['task'][:40]!r}; there are {', '.join(known)}")
            if desk.full:
                return _line("busy: too many runs wait already; try again in a few seconds", 429, desk.retry)
            start = await run_in_threadpool(_prepared, offer, asked, limits)
        except RefusedError as refused:
            return _line(str(refused), refused.status)
        except ClientDisconnect:
            return Response(status_code=400)
        if desk.full:
            return _line("busy: too many runs wait already; try again in a few seconds", 429, desk.retry)
        return Events(desk, start)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        desk.close()

    app = Starlette(routes=[Route("/", front), Route("/run", run, methods=["POST"])], lifespan=lifespan)
    app.state.close = desk.close
    return app


class RefusedError(Exception):
    """A request that is told in one line why it is not answered."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def _line(text: str, status: int, headers: dict[str, str] | None = None) -> Response:
    shown = " ".join(text.split())[:500].encode("utf-8", "replace")
    return PlainTextResponse(shown + b"\n", status, headers)


async def _body(request: Request, most: int) -> bytes:
    """The body of a request, if it is JSON, not too large, and arrives in time."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedError("a request is JSON: Content-Type: application/json", 415)
    body = b""
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > most:
                    raise RefusedError(f"a request has up to {most:,} bytes", 413)
    except TimeoutError:
        raise RefusedError(f"a request arrives within {READ_SECONDS} seconds", 408) from None
    return body


def _asked(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError("the request is no JSON") from None
    if not isinstance(asked, dict):
        raise RefusedError("the request is a JSON object with task, by, problem and options")
    asked = {"by": "model", "problem": "", "options": {}} | asked
    texts = ("task", "by", "problem")
    if not all(isinstance(asked.get(name), str) for name in texts) or not isinstance(asked["options"], dict):
        raise RefusedError("task, by and problem are texts, options an object")
    return asked


def _prepared(offer: Offer, asked: dict[str, Any], limits: Limits) -> Start:
    try:
        return offer.prepared(asked["by"], asked["problem"], asked["options"], limits)
    except ValueError as error:
        raise RefusedError(str(error)) from None
    except Exception as error:  # a task's own code may raise anything
        raise RefusedError(f"this cannot be read as a problem: {type(error).__name__}") from None


class Desk:
    """Runs are made here one at a time, in a thread of their own, in the order in which they came."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.line: list[object] = []
        """Those whose turn has not come, and the one whose turn it is."""
        self.retry = {"Retry-After": str(RETRY_SECONDS)}
        self.closed = False
        self._pool = ThreadPoolExecutor(1, "run")
        self._moved = asyncio.Event()
        self._watches: set[Watch] = set()

    @property
    def full(self) -> bool:
        return len(self.line) > self.limits.waiting

    def close(self) -> None:
        """End the run that is made, and tell those who wait that theirs will not be."""
        self.closed = True
        for watch in list(self._watches):
            watch.leave()
        self._wake()

    async def made(self, start: Start) -> AsyncGenerator[tuple[str, str], None]:
        """The events of a run, the wait for its turn included. A slow reader holds up nobody else."""
        ticket, told = object(), None
        self.line.append(ticket)
        try:
            while told != 0 and not self.closed:
                moved, before = self._moved, self.line.index(ticket)
                if before != told:
                    told = before
                    yield "queued", json.dumps({"before": before})
                elif before:
                    await moved.wait()
        except BaseException:
            self._leave(ticket)
            raise
        if self.closed:
            self._leave(ticket)
            yield CLOSING
            return
        async with aclosing(self._run(start, ticket)) as run:
            async for event in run:
                yield event

    def _leave(self, ticket: object) -> None:
        self.line.remove(ticket)
        self._wake()

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    async def _run(self, start: Start, ticket: object) -> AsyncGenerator[tuple[str, str], None]:
        loop, news, events = asyncio.get_running_loop(), asyncio.Event(), deque[tuple[str, str]]()

        def emit(name: str, data: str) -> None:
            events.append((name, data))
            loop.call_soon_threadsafe(news.set)

        def ended(_: object) -> None:
            self._watches.discard(watch)
            self._leave(ticket)
            news.set()

        watch = Watch(self.limits, emit)
        self._watches.add(watch)
        done = loop.run_in_executor(self._pool, _made, start, watch, emit)
        done.add_done_callback(ended)
        try:
            while True:
                last = done.done()
                for event in _joined([events.popleft() for _ in range(len(events))]):
                    yield event
                if last:
                    return
                await news.wait()
                news.clear()
        finally:
            watch.leave()


def _made(start: Start, watch: Watch, emit: Any) -> None:
    try:
        start(watch)
    except Exception as error:  # whatever goes wrong in a run is told to its reader, and the server goes on
        told = str(error) if isinstance(error, ValueError) else f"the run failed: {type(error).__name__}: {error}"
        emit("error", json.dumps({"message": " ".join(told.split())[:500]}))


def _joined(events: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Frames that follow each other as one event."""
    joined: list[tuple[str, str]] = []
    frames: list[str] = []
    for name, data in [*events, ("", "")]:
        if name == "frame":
            frames.append(data)
            continue
        joined += [("frames", f"[{','.join(frames)}]")] if frames else []
        frames = []
        joined += [(name, data)] if name else []
    return joined


class Events(Response):
    """Sends the events of a run until it ends, its reader leaves, or its reader is too slow."""

    def __init__(self, desk: Desk, start: Start) -> None:
        super().__init__()
        self._desk, self._start = desk, start

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = asyncio.ensure_future(self._sent(send))
        leaving = asyncio.ensure_future(_left(receive))
        longest = (self._desk.limits.waiting + 1) * self._desk.limits.seconds + SPARE_SECONDS
        await asyncio.wait({sending, leaving}, timeout=longest, return_when=asyncio.FIRST_COMPLETED)
        for task in (sending, leaving):
            task.cancel()
        await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _sent(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        async with aclosing(self._desk.made(self._start)) as events:
            async for name, data in events:
                body = f"event: {name}\ndata: {data}\n\n".encode()
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
