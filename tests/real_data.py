"""Where the real data sets and contract fixtures lie: beside the checkout, never in it."""

import os
from pathlib import Path

import pytest

_BESIDE_CHECKOUT = Path(__file__).resolve().parents[2] / "shared" / "data"
_CONTRACT_EXAMPLES = "contract-examples"


def real_data(*parts: str) -> Path:
    """Path of a file or folder of the real data; skips the test when it is absent."""
    return _present(_data_folder().joinpath(*parts))


def contract_example(*parts: str) -> Path:
    """Path of a contract fixture, in the folder beside the real data; skips when absent."""
    return _present(_data_folder().parent.joinpath(_CONTRACT_EXAMPLES, *parts))


def contract_examples(pattern: str) -> list[Path]:
    """All contract fixtures of a glob, in order; none where the folder is absent."""
    return sorted((_data_folder().parent / _CONTRACT_EXAMPLES).glob(pattern))


def _data_folder() -> Path:
    return Path(os.environ.get("GROUNDTRUTH_DATA") or _BESIDE_CHECKOUT)


def _present(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"needs {path.name} in the folder GROUNDTRUTH_DATA names, or beside it")
    return path
