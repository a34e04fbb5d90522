"""The pictures of the page in docs/figures/viewer, at two widths, in light and in dark; and the pictures of the README.

    python docs/figures/screens.py [ARM.json AP-MDM.json]     two runs to show beside each other, from `apmdm compare`

Needs Chromium and Playwright. The live page is served by `apmdm serve` in a process of its own.
"""

import io
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

FOLDER = Path(__file__).parent
WIDTHS, COLOURS = {1280: 800, 390: 844}, 160
SCHEMES: tuple[Literal["light", "dark"], ...] = "light", "dark"
PUZZLE = ".4...15..8...4...675........6...4....7.....5.5.97....3.9.2...6......6.....3..8..1"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
RUN = [sys.executable, "-m", "apmdm"]
OWN_TASK = '''
from dataclasses import fields

import apmdm
from apmdm.from_process import FromProcess


class Bubbles(FromProcess):
    """Removes every pair of o and x that stand beside each other."""

    def draw(self, sequence):
        symbols = super().draw(sequence)["symbols"]
        rows = [[place, symbol] for place, symbol in enumerate(symbols, 1)]
        return {"kind": "table", "header": ["place", "bubble"], "rows": rows}


def process(symbols):
    if apmdm.MASK in symbols:
        return [symbol for symbol in symbols if symbol != apmdm.MASK]
    marked = "".join(symbols).replace("ox", "__")
    return [apmdm.MASK if symbol == "_" else symbol for symbol in marked]


made = apmdm.Task.from_process(process, lambda random: "".join(random.choices("ox", k=6)), name="bubbles")
task = Bubbles(**{field.name: getattr(made, field.name) for field in fields(made) if field.init})
'''


def command(*arguments: str | Path) -> None:
    subprocess.run([*RUN, *map(str, arguments)], check=True, capture_output=True)


def shot(tab: Any, name: str) -> None:
    tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    picture = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(FOLDER / "viewer" / f"{name}.png", optimize=True)


def everywhere(browser: Browser, name: str, address: str, scene: Callable[[Any], None]) -> None:
    for width, height in WIDTHS.items():
        for scheme in SCHEMES:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=scheme,
                offline=address.startswith("file:"),
                reduced_motion="reduce",
            )
            tab = context.new_page()
            tab.goto(address)
            scene(tab)
            shot(tab, f"{name}-{width}-{scheme}")
            context.close()


def at(step: int) -> Callable[[Any], None]:
    return lambda tab: tab.evaluate(f"() => player.go({step})")


def typed(tab: Any) -> None:
    tab.select_option("#task", "sudoku")
    tab.click("#empty")
    tab.get_by_label("row 1, column 1", exact=True).focus()
    tab.keyboard.type(PUZZLE)
    tab.click("#run")
    tab.locator(".status[data-status=solved]").wait_for()
    tab.evaluate("() => player.go(17)")


def own(tab: Any) -> None:
    tab.select_option("#task", "bubbles")
    tab.fill("#text", "ooxxoxo")
    tab.select_option("#by", "teacher")
    tab.click("#run")
    tab.locator(".status[data-status=solved]").wait_for()
    tab.evaluate("() => player.go(1)")


def wrong(tab: Any) -> None:
    tab.select_option("#task", "parity")
    tab.fill("#text", "0110201")
    tab.click("#run")
    tab.locator("#status.wrong").wait_for()


def pointed(tab: Any) -> None:
    tab.evaluate("() => player.go(4)")
    tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    tab.locator(".token.unmask").first.hover()


def main() -> None:
    (FOLDER / "viewer").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        command("run", "sudoku", PUZZLE, "--trace", folder / "sudoku.json")
        command("run", "inflection", "German: Haus N;DAT;PL", "--trace", folder / "inflection.json")
        for run in ("sudoku", "inflection"):
            command("view", folder / f"{run}.json", "--out", folder / f"{run}.html")
        dyck = ["generate", "dyck", "--k", "2", "--length", "12", "--num", "1", "--seed", "3"]
        command(*dyck, "--trace", folder / "dyck.json")
        for run in ("sudoku", "dyck"):
            command("view", folder / f"{run}.json", "--out", FOLDER / f"run_{run}.svg")
        if sys.argv[2:]:
            command("view", *sys.argv[1:3], "--out", folder / "both.html")
        (folder / "bubbles.py").write_text(OWN_TASK, encoding="utf-8")
        train = [*RUN, "train", "bubbles.py", "--device", "cpu", "--set", "training.steps=1"]
        subprocess.run(train, cwd=folder, check=True, capture_output=True)
        serve = [*RUN, "serve", "bubbles.py", "--no-open"]
        server = subprocess.Popen(serve, cwd=folder, stderr=subprocess.PIPE, text=True)
        assert server.stderr
        address = server.stderr.readline().split()[0]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        everywhere(browser, "offline", (folder / "sudoku.html").as_uri(), at(30))
        everywhere(browser, "odds", (folder / "inflection.html").as_uri(), pointed)
        if sys.argv[2:]:
            everywhere(browser, "compare", (folder / "both.html").as_uri(), at(2))
        everywhere(browser, "typed", address, typed)
        everywhere(browser, "own-task", address, own)
        everywhere(browser, "wrong-input", address, wrong)
        browser.close()
        server.send_signal(signal.SIGINT)
        server.wait()


if __name__ == "__main__":
    main()
