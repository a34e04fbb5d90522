"""How long work will take is told when it is known."""

from itertools import count

from apmdm.training.progress import Forecast


def told(seconds_at: list[tuple[float, float]]) -> list[float]:
    forecast = Forecast()
    return [said for seconds, share in seconds_at if (said := forecast.after(seconds, share)) is not None]


def test_steady_work_is_forecast_once() -> None:
    (seconds,) = told([(float(step), step / 1000) for step in range(1001)])
    assert seconds == 1000


def test_nothing_is_forecast_from_the_first_of_many_that_end_together() -> None:
    """Of 100 problems under way at once, none ends for 90 seconds, and all have ended after 100."""
    assert told([(90 + step / 10, step / 100) for step in range(1, 101)]) == []


def test_work_of_which_a_small_part_is_under_way_at_once_is_forecast_well() -> None:
    """Of 1,000 problems 50 are under way at once, each for 10 seconds; they end together."""
    (seconds,) = told([(10.0 * batch, min(1.0, ended / 1000)) for batch, ended in zip(range(1, 21), count(50, 50))])
    assert 180 <= seconds <= 220
