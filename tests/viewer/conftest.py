"""A browser, and a server of live pages."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from apmdm.registry import find
from apmdm.trained import train
from films import USER_TASK, serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """For one module only, because an event loop runs in this thread as long as it is there."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: install one to test the page (Debian: apt-get install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def complaints() -> list[str]:
    """What pages wrote into the console as errors."""
    return []


@pytest.fixture
def opened(browser: Any, complaints: list[str]) -> Iterator[Callable[..., Any]]:
    """Opens an address or a file in a tab, which must not complain; files are opened without a network."""
    contexts = []

    def open(place: str | Path, width: int = 1280, height: int = 800, scheme: str = "light") -> Any:
        of_file = isinstance(place, Path)
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, offline=of_file, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
        page.goto(place.as_uri() if isinstance(place, Path) else place)
        return page

    yield open
    for context in contexts:
        context.close()
    assert not complaints, complaints


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """With the shipped models, and with a task that a user wrote and trained for a moment."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "bubbles.py").write_text(USER_TASK, encoding="utf-8")
    train(find(str(folder / "bubbles.py")), folder / "runs/bubbles", settings={"training.steps": 1})
    with serving("bubbles.py", folder=folder) as address:
        yield address
