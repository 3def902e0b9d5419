"""What the benchmark of mask consolidation measures, and what has to come out."""

OURS, FLOOR = "ours", "floor: Pillow decode + encode"
SITK, CROWD_KIT = "SimpleITK LabelVoting", "crowd-kit MajorityVote"
BEST, PLAIN = "SimpleITK LabelVoting, best built", "numpy accumulators, straightforward"
DENSE, TORCH = "numpy, class by class", "torch.mode"
DENSE_BEST = "numpy, class by class, best built"
EM, STAPLE = "ours, one coin", "SimpleITK MultiLabelSTAPLE"
SLOW = ("crowd-kit EM", "crowd-kit RASA")
NOISE = ("1080p-k11-n5-noise-1", "1080p-k11-n5-noise-10", "1080p-k11-n5-noise-100")
DRAWINGS = (
    "512px-k11-n3",
    "512px-k50-n9",
    "1080p-k2-n5",
    "1080p-k11-n3",
    "1080p-k11-n5",
    "1080p-k11-n9",
    "1080p-k50-n9",
    "1080p-k300-n5",
    "12mp-k11-n5",
    "12mp-k11-n9",
)

type Case = tuple[str, str, str]
"""Kind, name of the method and size."""

CASES: list[Case] = [
    *(("pipeline", name, "1080p-k11-n5") for name in (OURS, FLOOR, BEST, PLAIN, DENSE_BEST)),
    ("pipeline", "SimpleITK LabelVoting, straightforward", "1080p-k11-n5"),
    ("pipeline", "crowd-kit MajorityVote, best built", "1080p-k11-n5"),
    ("pipeline", "numpy accumulators, best built", "1080p-k11-n5"),
    *(("pipeline", name, "512px-k11-n3") for name in (OURS, FLOOR)),
    *(("pipeline", name, "1080p-k11-n9") for name in (OURS, FLOOR, BEST)),
    *(("pipeline", name, "12mp-k11-n9") for name in (OURS, FLOOR, BEST)),
    *(("pipeline", name, size) for size in NOISE for name in (OURS, BEST, DENSE_BEST)),
    *(
        ("fusion", name, size)
        for size in (*DRAWINGS, *NOISE)
        for name in (OURS, SITK, DENSE, TORCH)
    ),
    *(("fusion", CROWD_KIT, size) for size in ("1080p-k2-n5", "1080p-k11-n5")),
    *(("fusion", name, "1080p-k11-n5") for name in (EM, STAPLE, *SLOW)),
    *(("runs", name, "1080p-k11-n5") for name in (OURS, EM)),
    *(("memory", OURS, size) for size in ("1080p-k11-n5", "12mp-k11-n9", "100mp-k11-n5")),
]

# What must hold: a name, two cases, and the least or most the first may be of the second.
TARGETS: list[tuple[str, Case, Case, str, float]] = [
    ("whole object / floor", CASES[0], CASES[1], "at most", 0.6),
    ("whole object, best SimpleITK / ours", CASES[2], CASES[0], "at least", 4),
    ("whole object, plain numpy / ours", CASES[3], CASES[0], "at least", 55),
    *(
        (
            f"fusion, LabelVoting / ours, {size}",
            ("fusion", SITK, size),
            ("fusion", OURS, size),
            "at least",
            8,
        )
        for size in (
            "1080p-k2-n5",
            "1080p-k11-n3",
            "1080p-k11-n5",
            "1080p-k11-n9",
            "12mp-k11-n5",
            "12mp-k11-n9",
        )
    ),
    *(
        (
            f"EM, MultiLabelSTAPLE / ours {origin}",
            ("fusion", STAPLE, "1080p-k11-n5"),
            (kind, EM, "1080p-k11-n5"),
            "at least",
            1000,
        )
        for kind, origin in (("fusion", "from class maps"), ("runs", "from runs"))
    ),
    *(
        (
            f"nothing but noise, ours / dense numpy {origin}",
            (kind, OURS, NOISE[-1]),
            (kind, dense, NOISE[-1]),
            "at most",
            1.2,
        )
        for kind, dense, origin in (
            ("fusion", DENSE, "from class maps"),
            ("pipeline", DENSE_BEST, "from PNG to PNG"),
        )
    ),
]
