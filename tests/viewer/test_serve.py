"""The server of the live page: what it refuses, in which order it works, and how it ends."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
import torch

from apmdm.edits import Edits
from apmdm.sampler import rollouts
from apmdm.state import Sequence, State
from apmdm.viewer.serve import Desk
from apmdm.viewer.watch import Limits, Watch
from films import GUESSING, VOCAB

JSON = "application/json"
OTHER_SITE = "evil.example"
ONE = Sequence(torch.tensor([2]))


def asked(address: str, body: Any, kind: str = JSON, method: str = "POST", path: str = "/run", **headers: str) -> Any:
    """Status and body of an answer."""
    connection = HTTPConnection(urlsplit(address).netloc, timeout=30)
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = {name.replace("_", "-"): value for name, value in headers.items()} | {"Content-Type": kind}
    connection.request(method, path, sent, told)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def events(text: str) -> list[tuple[str, Any]]:
    pairs = (part.split("\n", 1) for part in text.split("\n\n") if part)
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in pairs]


PARITY = {"task": "parity", "problem": "0110100"}


def test_a_run_is_streamed_state_by_state(server: str) -> None:
    status, text = asked(server, PARITY)
    told = events(text)
    assert status == 200
    assert [name for name, _ in told][:2] == ["queued", "opening"]
    frames = told[1][1]["frames"] + [frame for name, data in told if name == "frames" for frame in data]
    assert len(frames) == 5
    assert told[-1] == ("end", {"parity": 1, "status": "solved", "stop": "fixed point"})


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "no JSON"),
        (b"[" * 20_000, 400, "no JSON"),
        (b'"\xff', 400, "no JSON"),
        ([], 400, "a JSON object"),
        ({"task": 1}, 400, "are texts"),
        ({"task": "/etc/passwd"}, 400, "there is no task"),
        (PARITY | {"problem": "2"}, 400, "takes a string of 0 and 1"),
        (PARITY | {"problem": "1" * 5000}, 400, "up to 4,096"),
        (PARITY | {"problem": "1" * 70_000}, 413, "bytes"),
        (PARITY | {"by": "nobody"}, 400, "by model or teacher"),
        (PARITY | {"options": {"k": 3}}, 400, "no option 'k'"),
        ({"task": "graph", "problem": "a b", "options": {"out": "/tmp/x"}}, 400, "no option 'out'"),
        ({"task": "graph", "problem": "/etc/passwd"}, 400, ""),
        ({"task": "sudoku", "problem": "/etc/passwd"}, 400, "puzzle"),
        ({"task": "dyck (draw one)", "options": {"length": "7"}}, 400, ""),
        ({"task": "dyck (draw one)", "options": {"length": -2}}, 400, "a number from 0"),
        ({"task": "programs", "problem": "/etc/passwd 4"}, 400, "prefix_sum"),
        ({"task": "programs", "by": "mdm", "problem": "memory: 1\nagain: JMP again"}, 400, "steps"),
        ({"task": "programs", "by": "mdm", "problem": "memory: x\nHALT"}, 400, "no number"),
    ],
)
def test_what_is_no_problem_is_told_in_one_line(server: str, body: Any, status: int, said: str) -> None:
    found, text = asked(server, body)
    assert (found, said in text, text.count("\n"), text[-1:]) == (status, True, 1, "\n"), text
    assert "root:" not in text


def test_a_word_is_drawn_and_programs_run(server: str) -> None:
    own = "memory: 3 1 2\n LI r1 1\n ST r1 r1\n HALT"
    for task, by, problem in (
        ("dyck (draw one)", "model", ""),
        ("programs", "ap-mdm", "parity 2"),
        ("programs", "mdm", own),
    ):
        status, text = asked(server, {"task": task, "by": by, "problem": problem})
        assert (status, events(text)[-1][1]["status"]) == (200, "solved")


def test_another_site_cannot_drive_it(server: str) -> None:
    port = urlsplit(server).port
    for headers in (
        {"Origin": f"http://{OTHER_SITE}"},
        {"Origin": "null"},
        {"Host": f"{OTHER_SITE}:{port}"},
        {"Host": "127.0.0.1"},
        {"Sec_Fetch_Site": "cross-site"},
    ):
        assert asked(server, PARITY, **headers)[0] == 403
        assert asked(server, b"", method="GET", path="/", **headers)[0] == 403
    assert asked(server, PARITY, kind="text/plain")[0] == 415
    assert asked(server, PARITY, Origin=f"http://127.0.0.1:{port}", Sec_Fetch_Site="same-origin")[0] == 200


def test_nothing_else_is_served(server: str) -> None:
    for path in ("/film.js", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/page/style.css"):
        assert asked(server, b"", method="GET", path=path)[0] == 404
    assert asked(server, b"", method="GET")[0] == 405
    assert "default-src 'none'" in asked(server, b"", method="GET", path="/")[1]


def test_many_at_once_are_answered_in_turn_and_those_who_leave_hold_nobody_up(server: str) -> None:
    address = urlsplit(server)
    for _ in range(5):
        body = json.dumps({"task": "sudoku", "problem": GUESSING}).encode()
        head = f"POST /run HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: {JSON}\r\n"
        head += f"Content-Length: {len(body)}\r\n\r\n"
        with socket.create_connection((address.hostname or "", address.port or 0)) as client:
            client.sendall(head.encode() + body)
            client.recv(20)
    with ThreadPoolExecutor(10) as clients:
        answers = list(clients.map(lambda _: asked(server, PARITY), range(20)))
    assert all(status == 200 and events(text)[-1][1]["parity"] == 1 for status, text in answers)


def endless(state: State) -> Edits:
    """One more MASK at each step."""
    first = torch.zeros_like(state.ids, dtype=torch.bool)
    first[:, 0] = True
    return Edits.of(state.ids, remask=state.masked, insert=first)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(steps=3), "the limit of 3 steps"),
        (Limits(seconds=0.05), "the limit of 0.05 seconds"),
        (Limits(tokens=10), "the limit of 10 tokens"),
        (Limits(film=2000), "the size of the film"),
    ],
)
def test_a_run_is_ended_by_a_limit_and_says_so(limits: Limits, said: str) -> None:
    told = list[tuple[str, str]]()
    watch = Watch(limits, lambda name, data: told.append((name, data)))
    watch.begin(VOCAB, None, {})
    (run,) = rollouts(endless, [ONE], on_step=watch)
    watch.end(run.final, {"status": "unsolved"})
    name, data = told[-1]
    assert (name, run.stop, json.loads(data)["stopped_by"]) == ("end", "stopped", said)
    assert [name for name, _ in told[:2]] == ["opening", "frame"]


def test_a_slow_reader_holds_nobody_up() -> None:
    def start(watch: Watch) -> None:
        watch.begin(VOCAB, None, {})
        watch.end(ONE, {"status": "solved"})

    async def scene() -> list[tuple[str, str]]:
        desk = Desk(Limits())
        slow = desk.made(start)
        assert [(await anext(slow))[0] for _ in range(2)] == ["queued", "opening"]
        found = await asyncio.wait_for(taken(desk, start), 5)
        await slow.aclose()
        desk.close()
        return found

    assert ran(scene)[-1] == ("end", '{"status": "solved"}')


def test_runs_end_when_the_server_closes() -> None:
    begun = threading.Event()

    def start(watch: Watch) -> None:
        watch.begin(VOCAB, None, {})
        begun.set()
        (run,) = rollouts(endless, [ONE], on_step=watch)
        watch.end(run.final, {"status": "unsolved"})

    async def scene() -> list[list[tuple[str, str]]]:
        desk = Desk(Limits())
        tasks = [asyncio.create_task(taken(desk, start)) for _ in range(2)]
        while not begun.is_set():
            await asyncio.sleep(0.01)
        desk.close()
        return await asyncio.wait_for(asyncio.gather(*tasks), 5)

    first, second = ran(scene)
    assert first[-1][0] == "end"
    assert second[-1] == ("error", '{"message": "the server closes"}')


def ran(scene: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """In a thread of its own: in this one an event loop may run already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(scene())).result()


async def taken(desk: Desk, start: Any) -> list[tuple[str, str]]:
    return [event async for event in desk.made(start)]


def test_a_full_desk_is_busy_and_works_in_order() -> None:
    order, gate = list[int](), threading.Event()

    def start(number: int) -> Any:
        def run(watch: Watch) -> None:
            gate.wait(10)
            order.append(number)
            if number == 1:
                raise RuntimeError("broken <task>")
            watch.begin(VOCAB, None, {})
            watch.end(ONE, {"status": "solved"})

        return run

    async def scene() -> list[list[tuple[str, str]]]:
        desk = Desk(Limits(waiting=2))
        tasks = []
        for number in range(3):
            assert not desk.full
            tasks.append(asyncio.create_task(taken(desk, start(number))))
            await asyncio.sleep(0)
        assert desk.full
        left = asyncio.create_task(taken(desk, start(3)))
        await asyncio.sleep(0.05)
        left.cancel()
        gate.set()
        found = await asyncio.gather(*tasks)
        assert not desk.line
        desk.close()
        return found

    first, second, third = ran(scene)
    assert order == [0, 1, 2]
    assert [name for name, _ in first] == ["queued", "opening", "end"]
    assert second[-1] == ("error", '{"message": "the run failed: RuntimeError: broken <task>"}')
    assert [json.loads(data)["before"] for name, data in third if name == "queued"] == [2, 1, 0]
