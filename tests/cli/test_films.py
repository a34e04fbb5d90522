"""`apmdm view` and `--view`: what is written, what is shown, and what is refused."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from films import GUESSING, taught

Ends = Callable[..., tuple[int, str, str]]
Refused = Callable[..., str]


def test_view_writes_a_page_and_a_picture(apmdm: Ends, refused: Refused, tmp_path: Path) -> None:
    trace, other = tmp_path / "first.json", tmp_path / "second.json"
    trace.write_text(taught("sudoku", GUESSING, status="solved").to_json())
    other.write_text(taught("dyck-repair", "([}){").to_json())
    for name in ("run.html", "run.svg"):
        assert apmdm("view", trace, "--out", tmp_path / name)[0] == 0
    assert (tmp_path / "run.svg").read_text().count("<animate") > 100
    assert set(re.findall(r"https?://[^\s\"]+", (tmp_path / "run.html").read_text())) == {"http://www.w3.org/2000/svg"}
    assert apmdm("view", trace, other, "--out", tmp_path / "both.html")[0] == 0
    assert "not as run.mp4" in refused("view", trace, "--out", tmp_path / "run.mp4")
    assert "one run" in refused("view", trace, other, "--out", tmp_path / "run.svg")
    assert "not 3" in refused("view", trace, trace, trace)
    assert "there is no file" in refused("view", tmp_path / "nowhere.json")
    (tmp_path / "no.json").write_text('{"format": "apmdm-trace"}')
    assert "cannot be shown" in refused("view", tmp_path / "no.json")


def test_a_run_is_shown_beside_its_teacher(apmdm: Ends, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = list[str]()
    monkeypatch.setattr("apmdm.viewer.local.show", lambda html, tell: shown.append(html))
    assert apmdm("run", "parity", "0110100", "--view", "--teacher")[0] == 0
    assert apmdm("generate", "dyck", "--length", 8, "--num", 2, "--view")[0] == 0
    assert apmdm("theory", "run", "parity", "--n", 2, "--view")[0] == 0
    for html, titles in zip(shown, (["parity", "parity, teacher"], ["dyck"], ["theory/parity"]), strict=True):
        data = html.partition('id="data">')[2].partition("</script>")[0]
        assert [film["about"]["title"] for film in json.loads(data)["films"]] == titles
    assert "give --view as well" in refused("run", "parity", "01", "--teacher")
    assert "--view shows the run of one problem" in refused("run", "sudoku", "--view")
