"""The page in a browser: films played, compared and told; problems typed in; at any width, in light and in dark."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apmdm.registry import find
from apmdm.viewer.bundle import page
from apmdm.viewer.film import draw_of, film
from apmdm.viewer.replay import shots
from films import GUESSING, placed, taught, wild

Opened = Callable[..., Any]


def film_of(name: str, problem: str | None = None, **about: Any) -> dict[str, Any]:
    return film(taught(name, problem), draw_of(find(name)), {"title": name, **about})


def saved(folder: Path, *films: dict[str, Any]) -> Path:
    path = folder / "run.html"
    path.write_text(page("a run", films), encoding="utf-8")
    return path


def where(tab: Any) -> str:
    tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return tab.inner_text("#where")


def fits(tab: Any) -> bool:
    """No part of the page is wider than the screen, and none lies over another one."""
    return tab.evaluate(
        """() => {
      const looked = "h1, p, label, button, select, dt, dd, .stage, td, th, canvas, .token";
      const shown = [...document.querySelectorAll(looked)]
        .filter((node) => node.offsetParent && !node.closest(".unseen, #player"));
      const boxes = shown.map((node) => [node, node.getBoundingClientRect()]);
      const over = boxes.filter(([, box]) => box.right > innerWidth + 1 || box.left < -1);
      const crossing = boxes.flatMap(([node, box], at) => boxes.slice(at + 1).filter(([other, rest]) =>
        !node.contains(other) && !other.contains(node) && box.left < rest.right - 1 && rest.left < box.right - 1 &&
        box.top < rest.bottom - 1 && rest.top < box.bottom - 1));
      return document.documentElement.scrollWidth <= innerWidth && !over.length && !crossing.length;
    }"""
    )


def faint(tab: Any) -> list[str]:
    """Texts whose contrast with what is behind them is below 4.5, or 3 if they are large (WCAG 2 AA)."""
    return tab.evaluate(CONTRAST)


CONTRAST = """() => {
  const parts = (text) => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const under = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) layers.push(parts(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, [r, g, b, a]) =>
      [r, g, b].map((value, index) => value * a + below[index] * (1 - a)), [255, 255, 255]);
  };
  const light = (rgb) => {
    const linear = (v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = rgb.map((value) => linear(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
    const left = node.closest("script, style, noscript, .unseen, option, :disabled");
    if (!text || !node.getClientRects().length || left) continue;
    const style = getComputedStyle(node), svg = node.closest("svg");
    const [a, b] = [light(parts(svg ? style.fill : style.color).slice(0, 3)), light(under(node))].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    const inDisc = svg && node.closest(".flagged");
    const contrast = (a + 0.05) / (b + 0.05);
    if (!inDisc && contrast < (large ? 3 : 4.5)) found.push(`${text} ${contrast.toFixed(2)}`);
  }
  for (const node of document.querySelectorAll("button, input, select, textarea, [role=img]")) {
    const named = node.getAttribute("aria-label") || node.innerText || node.labels && node.labels[0];
    if (node.getClientRects().length && !named) found.push(`no name: ${node.outerHTML.slice(0, 80)}`);
  }
  return found;
}"""


@pytest.mark.parametrize("draw", [None, placed])
def test_the_page_replays_a_film_as_python_does(opened: Opened, tmp_path: Path, draw: Any) -> None:
    films = [film(wild(seed, length=20, steps=150), draw) for seed in (1, 2)]
    tab = opened(saved(tmp_path, *films))
    jumps = [*range(0, 151, 7), 150, 3, 64, 63, 65, 128, 0]
    for number, made in enumerate(films):
        played = [[(cell.text, cell.becomes, cell.deed, cell.inserts) for cell in cells] for cells, _ in shots(made)]
        told = tab.evaluate(
            f"(jumps) => jumps.map((at) => player.views[{number}].film.cells(at, false)"
            ".map(({ text, becomes, deed, inserts }) => [text, becomes, deed, inserts]))",
            jumps,
        )
        assert [[tuple(cell) for cell in cells] for cells in told] == [played[at] for at in jumps]


def test_a_film_is_played_with_the_keyboard_and_scrubbed(opened: Opened, tmp_path: Path) -> None:
    tab = opened(saved(tmp_path, film_of("sudoku", GUESSING, status="solved")))
    assert where(tab) == "0 / 58"
    for key, shown in (
        ("ArrowRight", "1"),
        ("Shift+ArrowRight", "11"),
        ("ArrowLeft", "10"),
        ("End", "58"),
        ("Home", "0"),
    ):
        tab.keyboard.press(key)
        assert where(tab) == f"{shown} / 58"
    box = tab.locator("#scrub").bounding_box()
    tab.mouse.click(box["x"] + box["width"] / 2, box["y"] + 20)
    assert 27 <= int(where(tab).split(" /")[0]) <= 31
    tab.mouse.move(10, 10)
    tab.select_option("#speed", "80")
    tab.keyboard.press("Home")
    tab.locator("#scrub").press("Space")
    tab.locator("#where", has_text="58 / 58").wait_for()
    assert tab.get_attribute("#play", "aria-label") == "Play"
    cells = tab.locator("table.grid td")
    assert (
        "".join(cells.all_inner_texts())
        == "946871532832945716751623489368514297274369158519782643195237864487196325623458971"
    )
    tab.keyboard.press("t")
    assert tab.locator(".token").count() == 83
    assert tab.locator("tr[data-deed=remask] td").last.inner_text() == "83"
    assert "Step 58 of 58" in tab.inner_text("#spoken")


def test_colours_say_what_the_next_step_does(opened: Opened, tmp_path: Path) -> None:
    tab = opened(saved(tmp_path, film(wild(5), None)))
    made = film(wild(5), None)
    for at, (cells, _) in enumerate(shots(made)):
        tab.evaluate(f"() => {{ player.number = {at}; player.draw(); }}")
        classes = [
            set(name.split()) for name in tab.locator(".token").evaluate_all("(all) => all.map((n) => n.className)")
        ]
        for cell, names in zip(cells, classes, strict=True):
            assert names & {"unmask", "remask", "delete", "wait"} == ({cell.deed} if cell.deed else set())
            assert ("insert" in names) == cell.inserts


def test_two_runs_are_played_in_step_and_the_first_difference_is_marked(opened: Opened, tmp_path: Path) -> None:
    first = film(wild(4, steps=6), None, {"title": "model"})
    second = film(wild(4, steps=6), None, {"title": "teacher"})
    second["frames"] = json.loads(json.dumps(second["frames"]))
    written = next(at for at, frame in enumerate(second["frames"]) if frame.get("u"))
    second["frames"][written]["u"][1] ^= 1
    tab = opened(saved(tmp_path, first, second))
    assert tab.locator(".run").count() == 2
    tab.get_by_role("button", name=f"First difference: step {written + 1}").click()
    assert where(tab) == f"{written + 1} / 6"
    assert tab.locator(".run.differs").count() == 2
    one, two = (run.locator(".token").all_inner_texts() for run in tab.locator(".run").all())
    assert one != two
    tab = opened(saved(tmp_path, film_of("parity", "0110100"), film_of("dyck-repair", "([}){")))
    assert not tab.locator("#differ").is_visible()
    tab.keyboard.press("End")
    assert tab.locator(".figures dd").first.inner_text() != tab.locator("#where").inner_text().replace(" / ", " of ")


def test_probabilities_are_told_under_the_pointer(opened: Opened, tmp_path: Path) -> None:
    made = film(wild(7), None)
    at, frame = next((at, frame) for at, frame in enumerate(made["frames"]) if frame.get("u"))
    position, token = frame["u"][:2]
    frame["p"] = {str(position): [0.125, 0.0, 0.25, 0.5, 5 - token, 0.375]}
    tab = opened(saved(tmp_path, made))
    tab.evaluate(f"() => player.go({at})")
    where(tab)
    tab.hover(f".token[data-at='{position}']")
    told = tab.inner_text("#told")
    assert re.search(rf"unmask: {made['symbols'][token]}\s", told)
    assert re.search(rf"next: {made['symbols'][5 - token]}\s+0.375", told)
    assert re.search(r"remask \(wait\)\s+0.125", told)
    assert re.search(r"delete\s+0.250", told)
    other = next(p for p in range(len(made["frames"][0]["t"])) if p != position) if at == 0 else 0
    tab.hover(f".token[data-at='{other}']")
    assert "Certain, to three digits." in tab.inner_text("#told")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_pages_fit_and_can_be_read(opened: Opened, tmp_path: Path, server: str, width: int, scheme: str) -> None:
    films = film_of("sudoku", GUESSING, status="solved", puzzle=GUESSING), film_of("graph"), film(wild(2), placed)
    for shown in ([films[0]], [films[1]], [films[2]], [films[0], films[2]]):
        tab = opened(saved(tmp_path, *shown), width=width, scheme=scheme)
        tab.evaluate("() => player.go(9)")
        where(tab)
        assert fits(tab)
        assert faint(tab) == []
    tab = opened(server, width=width, scheme=scheme)
    tab.select_option("#task", "sudoku")
    tab.click("#run")
    tab.locator(".status[data-status=solved]").wait_for()
    assert fits(tab)
    assert faint(tab) == []


def test_a_sudoku_is_solved_by_typing_it_in(opened: Opened, server: str) -> None:
    tab = opened(server)
    tab.select_option("#task", "sudoku")
    tab.click("#empty")
    tab.get_by_label("row 1, column 1", exact=True).focus()
    tab.keyboard.type(GUESSING)
    tab.click("#run")
    tab.locator(".status[data-status=solved]").wait_for()
    assert where(tab) == "58 / 58"
    assert "946871532832945716751623489368514297274369158519782643195237864487196325623458971" in tab.inner_text(
        ".about"
    )
    assert tab.locator("table.grid td").first.inner_text() == "9"
    tab.select_option("#by", "teacher")
    tab.check("#beside")
    tab.click("#run")
    tab.locator(".run").nth(1).locator(".status[data-status=solved]").wait_for()
    assert tab.locator("#differ").is_hidden(), "model and teacher do the same"


def test_a_task_of_ones_own_is_run_and_drawn(opened: Opened, server: str) -> None:
    tab = opened(server)
    assert tab.locator("#task option").first.inner_text() == "bubbles"
    tab.fill("#text", "oxxo")
    tab.select_option("#by", "teacher")
    tab.click("#run")
    tab.locator(".status[data-status=solved]").wait_for()
    tab.keyboard.press("Escape")
    tab.locator("#first").click()
    assert where(tab) == "0 / 2"
    assert tab.locator("table.table th").all_inner_texts() == ["place", "<b>bubble</b>"]
    assert tab.locator("table.table td").all_inner_texts() == ["0", "o", "1", "x", "2", "x", "3", "o"]


def test_wrong_input_is_told_in_one_line(opened: Opened, server: str, complaints: list[str]) -> None:
    tab = opened(server)
    for task, text, said in (
        ("parity", "01<b>2", "parity takes a string of 0 and 1"),
        ("bubbles", "", "there is no problem; give "),
        ("bubbles", "o?", "'?'"),
        ("parity", "1" * 5000, "this page takes up to 4,096"),
        ("graph", "a b c d e", "the problem"),
    ):
        tab.select_option("#task", task)
        tab.fill("#text", text)
        tab.click("#run")
        tab.locator("#status.wrong", has_text=said).wait_for()
        assert "\n" not in tab.inner_text("#status")
    assert all("400 (Bad Request)" in told for told in complaints)
    complaints.clear()
