"""`labeljob synthesize` at one size, in a process of its own; prints one line of JSON.

    python -m benchmarks.scaling.synthesis FOLDER OBJECTS [--tree]

What was written is deleted after it was measured.
"""

import argparse
import json
import shutil
import time
from pathlib import Path

from benchmarks.common.measure import memory_mib
from labeljob.commands import app

WORKERS, PER_OBJECT = 100, 5


def main() -> None:
    """Write the files of a job, measured from the command's first statement."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("objects", type=int)
    parser.add_argument("--tree", action="store_true", help="a file for each data object, too")
    options = parser.parse_args()
    output = options.folder / f"job-{options.objects}"
    tree = "--tree" if options.tree else "--no-tree"
    sizes = ["--objects", str(options.objects), "--per-object", str(PER_OBJECT)]
    command = ["synthesize", "--output", str(output), "--workers", str(WORKERS), tree, *sizes]
    start, clock = time.process_time(), time.monotonic()
    app(command, standalone_mode=False)
    line = {"cpu_seconds": time.process_time() - start, "seconds": time.monotonic() - clock}
    written = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    line |= {"peak_mib": memory_mib("VmHWM"), "written_mib": written / 2**20}
    shutil.rmtree(output)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
