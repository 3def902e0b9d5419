"""Exports of other tools, written by hand in their documented shapes."""

import json

import numpy as np

SIZES = (3, 4, 8, 16)


def brush(mask, literal_from=None):
    """Label Studio's stream of a mask: repeated values, and from a place on literal ones."""
    values = np.repeat(np.asarray(mask, dtype=int).ravel() * 255, 4)
    text = f"{values.size:032b}{7:05b}" + "".join(f"{size - 1:04b}" for size in SIZES)
    literal_from = values.size if literal_from is None else literal_from
    at = 0
    while at < literal_from:
        end = at
        while end < literal_from and values[end] == values[at] and end - at < 65536:
            end += 1
        size = next(size for size in SIZES if end - at - 1 < 2**size)
        text += f"1{SIZES.index(size):02b}{end - at - 1:0{size}b}{values[at]:08b}"
        at = end
    for start in range(at, values.size, 8):
        some = values[start : start + 8]
        text += f"000{some.size - 1:03b}" + "".join(f"{value:08b}" for value in some)
    text += "0" * (-len(text) % 8)
    return [int(text[place : place + 8], 2) for place in range(0, len(text), 8)]


def choice(*names, control="kind"):
    """A region of type choices."""
    return {
        "id": "x",
        "from_name": control,
        "to_name": "image",
        "type": "choices",
        "value": {"choices": list(names)},
    }


def brushed(label, mask, **options):
    """A region of type brushlabels."""
    rows, columns = np.asarray(mask).shape
    return {
        "type": "brushlabels",
        "original_width": columns,
        "original_height": rows,
        "image_rotation": 0,
        "value": {"format": "rle", "rle": brush(mask, **options), "brushlabels": [label]},
    }


def outlined(label, points, size):
    """A region of type polygonlabels; points in percent."""
    return {
        "type": "polygonlabels",
        "original_width": size[1],
        "original_height": size[0],
        "image_rotation": 0,
        "value": {"points": points, "closed": True, "polygonlabels": [label]},
    }


def annotation(number, who, *result, **more):
    """One annotation of a task."""
    return {
        "id": number,
        "completed_by": who,
        "result": list(result),
        "was_cancelled": False,
        "created_at": f"2026-03-02T10:00:{number:02}.000000Z",
        "lead_time": 5.5,
        **more,
    }


def task(number, *annotations, **more):
    """One task of an export."""
    image = f"s3://images/{number}.jpg"
    return {"id": number, "data": {"image": image}, "annotations": list(annotations), **more}


def labelstudio(path, *tasks):
    """An export file of Label Studio."""
    path.write_text(json.dumps(list(tasks)), encoding="utf-8")
    return path


def cvat(path, images, *, who="ann", labels=("cat", "dog"), version="1.1", head="", tasks=None):
    """An export file of CVAT for images: of a job, or of a project with assignees by task."""
    named = "".join(f"<label><name>{label}</name></label>" for label in labels)
    about = f"<id>1</id><labels>{named}</labels>"
    if tasks is None:
        meta = f"<job>{about}{_assignee(who)}</job>"
    else:
        each = "".join(
            f"<task><id>{number}</id>{_assignee(name)}</task>" for number, name in tasks.items()
        )
        meta = f"<project>{about}<tasks>{each}</tasks></project>"
    path.write_text(
        f'<?xml version="1.0" encoding="utf-8"?>{head}<annotations><version>{version}</version>'
        f"<meta>{meta}<dumped>2026-03-02 10:00:00.000000+00:00</dumped></meta>{images}"
        "</annotations>",
        encoding="utf-8",
    )
    return path


def _assignee(name):
    inner = f"<username>{name}</username><email/>" if name else ""
    return f"<assignee>{inner}</assignee>"
