"""The page's section on the segmentation editor says what was measured, and where we lose."""

import pytest

from benchmarks.common.record import table
from benchmarks.report.__main__ import render_page

RUN = {
    "command": "python -m benchmarks.portal.brush",
    "seed": 1,
    "date": "2026-01-01",
    "machine": {"processor": "P", "cores": 2, "system": "Linux x86_64"},
    "versions": {"python": "3.13.0"},
}


def brush(p95, cpu, submit):
    row = {"way": "the portal's element", "scale": "fit", "moves": 2000, "p50_ms": 0.4}
    row |= {"p95_ms": p95, "first_tenth_ms": 0.4, "last_tenth_ms": 0.5, "cpu_ms": cpu}
    peer = row | {"way": "Konva, own layer", "p95_ms": 99.0, "cpu_ms": 99.0}
    return {
        "run": RUN,
        "chromium": "1.2",
        "packages": {"konva": "3.4", "fabric": "5.6"},
        "load_average_before": 0.5,
        "moves": table([row, peer], list(row)),
        "submit": table(
            [{"mask": "noise", "ms": submit, "answer_kb": 1.0}], ["mask", "ms", "answer_kb"]
        ),
    }


def large_images(opened):
    row = {"megapixels": 100.0, "file_mb": 20.0, "before_mb": 98.0, "first_s": 4.0, "again_s": 0.5}
    row |= {"open_mb": opened, "looked_mb": 400.0, "painted_mb": 700.0, "after_mb": 600.0}
    row |= {"submit_s": 0.7, "portal_mb": 650.0}
    return {"run": RUN, "photographs": table([row], list(row))}


def test_reached_aims_are_told_as_such():
    text = render_page({"brush": brush(1.9, 5.9, 900.0)}, parts=["brush"])
    assert "| Konva, own layer | fit | 2,000 | 0.4 | 99.0 |" in text
    assert "None is missed." in text
    assert "Missed:" not in text


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        ((2.4, 5.0, 900.0), "Missed: p95 2.4 ms."),
        ((1.0, 7.1, 900.0), "Missed: CPU 7.1 ms."),
        ((1.0, 5.0, 4200.0), "Missed: a mask of noise, 4.2 s."),
    ],
)
def test_a_missed_aim_is_told(measured, said):
    text = render_page({"brush": brush(*measured)}, parts=["brush"])
    assert said in text
    assert "None is missed." not in text


@pytest.mark.parametrize(
    ("opened", "said"), [(230.0, "and was reached"), (689.0, "689 were measured")]
)
def test_memory_of_a_large_photograph_is_compared_with_the_aim(opened, said):
    text = render_page({"large_images": large_images(opened)}, parts=["large_images"])
    assert f"{opened:.0f} | 400 | 700 | 600 | 0.7 | 650 |" in text
    assert said in text
