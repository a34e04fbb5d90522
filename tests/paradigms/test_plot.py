"""The plot of a comparison can be read: labels keep apart, and AP-MDM is found among many lines."""

from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import same_color

from apmdm.paradigms.plot import figure_of

NAMES = [f"{name}, {form}" for form in ("direct", "scratch") for name in ("ARM", "Masked ARM", "MDM", "AO-MDM")]
SIZES = ["4 to 6 nodes", "7 to 10 nodes", "11 to 15 nodes", "16 to 20 nodes", "21 to 30 nodes"]


def rows(names: list[str], sizes: list[str]) -> list[dict[str, object]]:
    return [
        {"paradigm": name, "size": size, "accuracy": 0.5, "steps": 3, "computed": 40}
        for name in names
        for size in sizes
    ]


def test_labels_of_sizes_do_not_overlap() -> None:
    figure = figure_of("graph", rows(NAMES, SIZES))
    FigureCanvasAgg(figure).draw()
    for axes in figure.axes:
        boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
        corners = [(box.x1, box.y1) for box in boxes]
        assert len(set(corners)) == len(SIZES)
        upright = axes.get_xticklabels()[0].get_rotation() == 0
        assert not upright or not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_ap_mdm_is_thicker_than_all_others_and_a_paradigm_has_one_colour() -> None:
    axes = figure_of("parity", rows([*NAMES, "AP-MDM", "AP-MDM without remask"], ["2", "5"])).axes[0]
    lines = {str(line.get_label()): line for line in axes.get_lines()}
    others = [line.get_linewidth() for name, line in lines.items() if name != "AP-MDM"]
    assert lines["AP-MDM"].get_linewidth() > max(others)
    assert same_color(lines["AO-MDM, direct"].get_color(), lines["AO-MDM, scratch"].get_color())
    marks = {(str(line.get_color()), line.get_marker(), line.get_linestyle()) for line in lines.values()}
    assert len(marks) == len(lines)
