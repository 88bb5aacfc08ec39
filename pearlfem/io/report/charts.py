"""Curves as SVG: this module computes coordinates, the template draws lines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pearlfem.io.report.text import greek, number, power_of_ten, unit
from pearlfem.quantities.arrays import Array

WIDTH, HEIGHT = 370, 240  # px of a chart
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 10, 26, 40
_COLORS = ("#0b5fa5", "#d1495b", "#2a9d6f", "#e39c1f", "#7b52ab", "#4d5b6a", "#17a2b8", "#8c564b")
MOST_SERIES = len(_COLORS)
_HUGE = 1e150  # larger numbers have no meaning here, and their squares overflow
_MOST_MARKS = 40  # a curve with more points has a line only


@dataclass(frozen=True)
class Series:
    """A curve, with bounds if they are known; it has a gap where a number is NaN."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    lower: Sequence[float] | None = None
    upper: Sequence[float] | None = None


class Tick(NamedTuple):
    """A mark at an axis [px]."""

    at: float
    text: str


class Curve(NamedTuple):
    """A series in pixels: the path of its line, the outline between its bounds, and its marks."""

    label: str
    color: str
    line: str
    band: str
    marks: list[tuple[float, float]]


class Chart(NamedTuple):
    """A chart in pixels, for the template."""

    title: str
    x_label: str
    y_label: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    curves: list[Curve]
    frame: tuple[float, float, float, float]  # left, top, right, bottom
    size: tuple[int, int]


def chart(
    title: str,
    x_name: tuple[str, str],
    y_name: tuple[str, str],
    series: Sequence[Series],
    *,
    points: bool = False,
) -> Chart:
    """Return ``series`` in pixels; an axis over several decades is logarithmic.

    Args:
        title: Text above the chart.
        x_name: Name and unit of x.
        y_name: Name and unit of y; either may be empty.
        series: At most ``MOST_SERIES`` curves.
        points: Marks only, no lines between them.
    """
    bounds = [side for one in series for side in (one.lower, one.upper) if side is not None]
    x = _Axis([v for one in series for v in one.x], _LEFT, WIDTH - _RIGHT, most_ticks=5)
    heights = [v for values in [one.y for one in series] + bounds for v in values]
    y = _Axis(heights, HEIGHT - _BOTTOM, _TOP, most_ticks=5)
    curves = [_curve(one, color, x, y, points) for one, color in zip(series, _COLORS, strict=False)]
    return Chart(
        title,
        x.label(*x_name),
        y.label(*y_name),
        list(x.ticks()),
        list(y.ticks()),
        curves,
        (_LEFT, _TOP, WIDTH - _RIGHT, HEIGHT - _BOTTOM),
        (WIDTH, HEIGHT),
    )


class _Axis:
    """An axis: maps numbers to pixels between ``start`` and ``end``."""

    def __init__(self, values: Iterable[float], start: float, end: float, most_ticks: int) -> None:
        known = np.array([v for v in values if abs(v) < _HUGE] or [0.0, 1.0])  # without NaN
        least, largest = float(known.min()), float(known.max())
        self.log = least > 1 / _HUGE and largest >= 30 * least
        self._start, self._end = start, end
        least, largest = self._scaled(np.array([least, largest])).tolist()
        # A constant has no range, and the last digits of one are noise.
        slack = 0.04 * (largest - least) or 0.5 * abs(largest) or 1.0
        self._low, self._high = least - slack, largest + slack
        self._steps = (
            self._log_steps() if self.log else _round_steps(self._low, self._high, most_ticks)
        )
        size = max(abs(step) for step in self._steps)
        tens = math.floor(math.log10(size)) if size > 0 else 0
        self._tens = 0 if self.log or -3 <= tens <= 4 else tens

    def label(self, name: str, unit_name: str) -> str:
        """Return name and unit, and a power of ten if all ticks share one."""
        factor = power_of_ten(self._tens) if self._tens else ""
        brackets = " ".join(part for part in (factor, unit(unit_name)) if part)
        return " ".join(part for part in (greek(name), brackets and f"[{brackets}]") if part)

    def __call__(self, values: Sequence[float]) -> Array:
        """Return ``values`` in pixels; NaN if one is too large or not a number."""
        part = (self._scaled(np.asarray(values, float)) - self._low) / (self._high - self._low)
        return np.asarray(self._start + part * (self._end - self._start))

    def ticks(self) -> Iterator[Tick]:
        """Yield the marks within the axis."""
        for step, at in zip(self._steps, self(self._steps), strict=True):
            if self.log:
                exponent = round(math.log10(step))
                exact = math.isclose(step, 10.0**exponent) and abs(exponent) > 3
                yield Tick(float(at), power_of_ten(exponent) if exact else number(step, 4))
            else:
                yield Tick(float(at), number(float(f"{step / 10.0**self._tens:.9g}"), 6))

    def _scaled(self, values: Array) -> Array:
        known = np.where(np.abs(values) < _HUGE, values, np.nan)
        return np.asarray(np.log10(known)) if self.log else known

    def _log_steps(self) -> list[float]:
        """Return powers of ten: every n-th over many decades, with 3 between them over few."""
        first, last = math.floor(self._low), math.ceil(self._high)
        every = max(1, (last - first) // 5)
        factors = (1, 3) if last - first <= 3 else (1,)
        steps = [f * 10.0**k for k in range(first, last + 1, every) for f in factors]
        return [s for s in steps if self._low <= math.log10(s) <= self._high]


def _round_steps(low: float, high: float, most: int) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of ten between ``low`` and ``high``."""
    raw = (high - low) / most
    ten = 10.0 ** math.floor(math.log10(raw))
    step = next(f * ten for f in (1, 2, 5, 10) if f * ten >= 0.999 * raw)
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _curve(one: Series, color: str, x: _Axis, y: _Axis, points: bool) -> Curve:
    places = np.column_stack([x(one.x), y(one.y)])
    marked = points or len(places) <= _MOST_MARKS
    marks = places[np.isfinite(places).all(axis=1)] if marked else places[:0]
    band = ""
    if one.lower is not None and one.upper is not None:
        there = np.column_stack([x(one.x), y(one.upper)])
        back = np.column_stack([x(one.x), y(one.lower)])[::-1]
        band = _path(np.vstack([there, back]))
    line = "" if points else _path(places)
    return Curve(one.label, color, line, band, [(float(a), float(b)) for a, b in marks])


def _path(places: Array) -> str:
    """Return the line through ``places`` as an SVG path, with a gap where one is NaN."""
    parts, pen = [], "M"
    for a, b in places:
        if math.isfinite(a) and math.isfinite(b):
            parts.append(f"{pen}{a:.1f} {b:.1f}")
            pen = "L"
        else:
            pen = "M"
    return "".join(parts)
