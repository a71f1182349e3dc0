"""Charts drawn as SVG: a browser shows them without a script, in light and in dark."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final, Protocol, cast
from xml.etree.ElementTree import Comment, Element, SubElement

import pygal
from pygal.style import Style

from .chart import Chart

# pygal leaves a finder for its maps, of a form that Python 3.12 dropped: each import that fails would warn of it.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != pygal.__name__]

# Okabe and Ito's colours, which people with any colour vision tell apart, as far as they show on white and on dark.
_STYLE: Final = Style(
    background="#ffffff",
    plot_background="#ffffff",
    foreground="#374151",
    foreground_strong="#111827",
    foreground_subtle="#6b7280",
    guide_stroke_color="#d1d5db",
    major_guide_stroke_color="#d1d5db",
    guide_stroke_dasharray="none",
    major_guide_stroke_dasharray="none",
    colors=("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#808080"),
    opacity="1",
    opacity_hover=".8",
    transition="0s",
    font_family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif",
    title_font_size=18,
    label_font_size=12,
    major_label_font_size=12,
    legend_font_size=13,
    no_data_font_size=18,
)
# pygal's own rules begin with the chart's id.
_CSS: Final = """inline:
#chart-report .line-graph .series .line { stroke-width: 2px; }
#chart-report .axis .major.guide.line, #chart-report .axis .guide.line { stroke: #d1d5db; }
@media (prefers-color-scheme: dark) {
#chart-report { background-color: #111827; }
#chart-report .graph > .background, #chart-report .plot > .background { fill: #111827; }
#chart-report .title, #chart-report .axis text, #chart-report .axis text.major, #chart-report .legends .legend text,
#chart-report text.no_data { fill: #e5e7eb; }
#chart-report .color-0, #chart-report .color-0 a:visited { fill: #3d8fd1; stroke: #3d8fd1; }
#chart-report .color-5, #chart-report .color-5 a:visited { fill: #b5e0fa; stroke: #b5e0fa; }
#chart-report .axis .line { stroke: #9ca3af; }
#chart-report .axis .major.guide.line, #chart-report .axis .guide.line { stroke: #374151; }
}"""
_STEPS: Final = (1, 2, 5)
_LABELS: Final = 8
_LABEL_LENGTH: Final = 28


class _Drawing(Protocol):
    """What is used of pygal's charts, which have no types."""

    uuid: str
    x_labels: list[str]

    def add_xml_filter(self, callback: Callable[[Element], Element]) -> object: ...

    def add(self, title: str, values: list[float | None]) -> object: ...

    def render(self, *, is_unicode: bool) -> str: ...


def draw(chart: Chart) -> str:
    """Return ``chart`` as the text of an SVG document."""
    drawing = _drawing(chart)
    drawing.uuid = "report"
    drawing.add_xml_filter(lambda root: _finish(root, chart))
    drawing.x_labels = [_short(label) for label in chart.labels]
    if any(value for numbers in chart.series.values() for value in numbers) or chart.kind == "levels":
        for name, numbers in chart.series.items():
            drawing.add(name, list(numbers))
    return drawing.render(is_unicode=True)


def _drawing(chart: Chart) -> _Drawing:
    options: dict[str, object] = {
        "title": chart.title,
        "style": _STYLE,
        "css": ("file://style.css", "file://graph.css", _CSS),
        "js": (),
        "width": 960,
        "height": 480,
        "margin": 24,
        "legend_at_bottom": True,
        "legend_at_bottom_columns": 5,
        "legend_box_size": 14,
        "truncate_legend": _LABEL_LENGTH,
        "truncate_label": -1,
        "show_legend": len(chart.series) > 1,
        "no_data_text": chart.empty,
        "x_title": chart.label_title,
        "y_title": chart.value_title,
    }
    if chart.kind == "levels":
        turned = {"x_title": chart.value_title, "y_title": chart.label_title, "range": (0, 100)}
        return cast(_Drawing, pygal.HorizontalBar(**options | turned))
    options |= {"x_labels_major_count": min(_LABELS, len(chart.labels)), "show_minor_x_labels": False}
    if chart.kind == "bars":
        return cast(_Drawing, pygal.StackedBar(**options, include_x_axis=True, max_scale=8))
    return cast(_Drawing, pygal.Line(**options, **_scale(chart), logarithmic=True, dots_size=2.5))


def _short(label: str) -> str:
    return label if len(label) <= _LABEL_LENGTH else f"{label[: _LABEL_LENGTH - 1]}…"


def _scale(chart: Chart) -> dict[str, object]:
    """Return the options of a scale of round numbers around the values: a logarithmic one has few by itself."""
    values = [value for numbers in chart.series.values() for value in numbers if value]
    if not values:
        return {}
    numbers = [step * 10.0**power for power in range(-3, 9) for step in _STEPS]
    below = max(number for number in numbers if number <= min(values) or number == numbers[0])
    above = min(number for number in numbers if number >= max(*values, 10 * below) or number == numbers[-1])
    return {"y_labels": [number for number in numbers if below <= number <= above], "range": (below, above)}


def _finish(root: Element, chart: Chart) -> Element:
    """Take out the script and pygal's remarks, and tell what the script would have told, and what the chart shows."""
    for parent in list(root.iter()):
        notes = {child.get("class"): child for child in parent if child.tag == "desc"}
        for child in [child for child in parent if child.tag in ("script", "desc", Comment)]:
            parent.remove(child)
        if "value" in notes:
            # A browser shows a title of its own accord.
            texts = [notes[name].text for name in ("x_label", "value") if name in notes]
            SubElement(parent, "title").text = ": ".join(text for text in texts if text)
    for title in root.findall("title"):
        root.remove(title)
    root.set("role", "img")
    root.set("aria-labelledby", "title description")
    for tag, name, text in (("desc", "description", chart.description), ("title", "title", chart.title)):
        element = Element(tag, {"id": name})
        element.text = text
        root.insert(0, element)
    return root
