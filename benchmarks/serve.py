"""The live page under load: every good request answered right, no other one harms it, memory stays flat.

    python benchmarks/serve.py [SECONDS]     of fuzzed input; 60 if left out

20 clients at once make 200 requests: good ones (Sudoku, parity, brackets, inflection), malformed, oversized and slow
ones, and some that leave in the middle. Then come random requests, most of them nearly right. Ends in one JSON line.
"""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from typing import Any

from apmdm.tasks.sudoku.grid import NINE
from apmdm.tasks.sudoku.task import Sudoku
from apmdm.tasks.sudoku.verify import is_solution

CLIENTS, REQUESTS, FUZZERS, LARGE = 20, 200, 5, 70_000
KINDS = ("sudoku", "parity", "dyck-repair", "inflection", "malformed", "refused", "oversized", "slow", "left")
COMMAND = [sys.executable, "-m", "apmdm", "serve", "--no-open"]
assert Sudoku.demo is not None
PUZZLES = [line for line in Sudoku.demo.read_text().split() if len(line) == 81]
OTHER_SITE = "evil.example"
JSON = {"Content-Type": "application/json"}


def problem(kind: str, draw: Random) -> str:
    return {
        "sudoku": draw.choice(PUZZLES),
        "parity": "".join(draw.choices("01", k=draw.randint(1, 400))),
        "dyck-repair": "".join(draw.choices("()[]{}", k=draw.randint(1, 60))),
        "inflection": "German: Haus N;DAT;PL",
    }[kind]


def right(kind: str, asked: str, end: dict[str, Any]) -> bool:
    if kind == "sudoku":
        return is_solution(NINE.parse(asked), NINE.parse(end["answer"]))
    if kind == "parity":
        return end["parity"] == asked.count("1") % 2
    if kind == "inflection":
        return isinstance(end.get("form", end.get("answer")), str)
    word, was = end["word"], ""
    while word != was:
        was, word = word, re.sub(r"\(\)|\[\]|\{\}", "", word)
    return not word


def events(connection: HTTPConnection) -> tuple[int, list[tuple[str, Any]]]:
    answer = connection.getresponse()
    body = answer.read().decode()
    if answer.status != 200:
        assert body.endswith("\n"), body
        assert body.count("\n") == 1, body
        return answer.status, []
    return 200, [(name, json.loads(data)) for name, data in re.findall(r"event: (\w+)\ndata: (.*)\n\n", body)]


def request(port: int, number: int) -> str:
    """What came of one request: right, or what else."""
    kind, draw = KINDS[number % len(KINDS)], Random(number)
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    good = kind if kind in KINDS[:4] else "parity"
    asked = problem(good, draw)
    body = json.dumps({"task": good, "problem": asked}).encode()
    if kind == "malformed":
        body = body[: len(body) // 2]
    if kind == "refused":
        body = json.dumps({"task": good, "problem": "neither"}).encode()
    if kind == "oversized":
        body = json.dumps({"task": good, "problem": "1" * LARGE}).encode()
    if kind == "left":
        body = json.dumps({"task": "sudoku", "problem": PUZZLES[-1]}).encode()
    if kind == "slow":
        connection.putrequest("POST", "/run")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        for first in range(0, len(body), 1 + len(body) // 4):
            time.sleep(0.3)
            connection.send(body[first : first + 1 + len(body) // 4])
    else:
        connection.request("POST", "/run", body, JSON)
    if kind == "left":
        connection.sock.recv(100)
        connection.close()
        return "left"
    status, found = events(connection)
    connection.close()
    if kind in ("malformed", "refused", "oversized"):
        return f"{kind} told" if status == (413 if kind == "oversized" else 400) else f"{kind} wrong: {status}"
    names = [name for name, _ in found]
    if status != 200 or names[-1:] != ["end"]:
        return f"lost: {status} {names[-1:]}"
    return "right" if right(good, asked, found[-1][1]) else f"wrong: {asked}"


def fuzz(port: int, seconds: float, seed: int) -> Counter[int]:
    """The statuses of random requests."""
    draw, found, until = Random(seed), Counter[int](), time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(nearly(port, draw))
            if draw.random() < 0.3:
                client.shutdown(socket.SHUT_WR)
            try:
                told = client.recv(200)
            except OSError:
                told = b""
        status = re.match(rb"HTTP/1\.1 (\d+)", told)
        found[int(status.group(1)) if status else 0] += 1
    return found


def nearly(port: int, draw: Random) -> bytes:
    """A request in which something may be wrong."""
    noise = bytes(draw.randrange(256) for _ in range(draw.randint(0, 60)))
    texts = [
        "",
        "0110",
        "x" * draw.randint(0, 3000),
        "\ud800",
        "../../etc/passwd",
        "file:///etc",
        "<b>",
        "1 2\n3",
        "{}" * 20,
    ]
    values = [*texts, None, 1e308, -1, [], {}, True, {"a": {"b": []}}, noise.decode("latin-1")]
    names = ["parity", "sudoku", "graph", "dyck-repair", "dyck (draw one)", "programs", "inflection", "/etc", *texts]
    body = {
        "task": draw.choice(names),
        "problem": draw.choice([*texts, *PUZZLES]),
        "by": draw.choice(["model", "teacher", "mdm"]),
    }
    if draw.random() < 0.5:
        body[draw.choice(["task", "by", "problem", "options", "more"])] = draw.choice(values)
    if draw.random() < 0.5:
        options = ["source", "target", "k", "length", "out", "data", "num", "language", "undirected", ""]
        body["options"] = {draw.choice(options): draw.choice(values) for _ in range(draw.randint(0, 3))}
    text = json.dumps(body).encode()
    text = draw.choice([text, text, text, noise, text[: draw.randint(0, len(text))], b"[" * 5000, b'{"task":' * 900])
    path = draw.choice(["/run", "/run", "/run", "/", "/../../etc/passwd", "/%2e%2e/", "/run/1", "/page/film.js"])
    method = draw.choice(["POST", "POST", "POST", "GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
    host = draw.choice([f"127.0.0.1:{port}"] * 6 + [OTHER_SITE, ""])
    kind = draw.choice(["application/json"] * 5 + ["text/plain", ""])
    length = draw.choice([len(text)] * 8 + [len(text) + 5, 0])
    head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n"
    head += draw.choice(["", "", "", f"Origin: http://{OTHER_SITE}\r\n", "Expect: 100-continue\r\n"])
    return head.encode() + b"Connection: close\r\n\r\n" + text


def memory(pid: int) -> float:
    """Megabytes."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024  # pyrefly: ignore[missing-attribute]


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    server = subprocess.Popen(COMMAND, stderr=subprocess.PIPE, text=True)
    assert server.stderr
    port = int(re.search(r":(\d+)/", server.stderr.readline()).group(1))  # pyrefly: ignore[missing-attribute]
    for number in range(len(KINDS)):
        request(port, number)
    before, began = memory(server.pid), time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        found = Counter(clients.map(lambda number: request(port, number), range(REQUESTS)))
    took, after = time.perf_counter() - began, memory(server.pid)
    with ThreadPoolExecutor(FUZZERS) as clients:
        statuses = sum(clients.map(lambda seed: fuzz(port, seconds, seed), range(FUZZERS)), Counter[int]())
    fuzzed = memory(server.pid)
    again = Counter(request(port, number) for number in range(len(KINDS)))
    server.send_signal(signal.SIGINT)
    rest = server.communicate(timeout=30)[1]
    print(
        json.dumps(
            {
                "requests": dict(found),
                "seconds": round(took, 1),
                "MB": [round(value) for value in (before, after, fuzzed)],
                "fuzzed": {str(status): count for status, count in sorted(statuses.items())},
                "afterwards": dict(again),
                "exit": server.returncode,
                "said": rest,
            }
        )
    )


if __name__ == "__main__":
    main()
