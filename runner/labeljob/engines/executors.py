"""Executors that work goes to: this process, several of this machine, a Dask or a Ray cluster."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from concurrent.futures import ThreadPoolExecutor as Threads
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, replace
from importlib import import_module
from multiprocessing import resource_tracker
from typing import Any, ParamSpec, TypeVar

from groundtruth.compat import process_cpu_count
from labeljob.engines.worker import set_up_process
from labeljob.extras import need
from labeljob.jobs.description import JobError

Result = TypeVar("Result")
P = ParamSpec("P")

PROCESSES, DASK, RAY = ENGINES = ("processes", "dask", "ray")

LOOPBACK = "127.0.0.1"

PATIENCE = 30.0
"""Seconds in which a cluster has to answer."""


@dataclass(frozen=True, kw_only=True)
class Engine:
    """An executor, and how much work it is given ahead.

    Attributes
    ----------
    executor : Executor
        Anything with the interface of `concurrent.futures`. What it runs is a function of a module
        that its workers can import.
    at_once : int
        How many pieces of work are handed to it at a time, at least 1: twice its workers leave
        none of them idle.
    is_remote : bool
        Whether its workers may be on other machines, with other files and another version.
    """

    executor: Executor
    at_once: int
    is_remote: bool = False

    def suited_to(self, n_items: int) -> Engine:
        """Itself; or this process, if it would start a process for one piece of work."""
        if n_items <= 1 and isinstance(self.executor, Processes):
            return replace(self, executor=ThisProcess(), at_once=1)
        return self


class ThisProcess(Executor):
    """Work is done when it is submitted, here."""

    def submit(
        self, function: Callable[P, Result], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[Result]:
        """Call the function; what comes of it is in the future."""
        future: Future[Result] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 (whoever asks the future gets it)
            future.set_exception(error)
        return future


class Processes(Executor):
    """Processes of this machine, each of which may die without harm to the others.

    A pool of the standard library is lost as a whole with one of its processes. Here each process
    is a pool of its own: the work that was in it gets a `BrokenExecutor`, a new process takes its
    place, and nothing else notices.

    Parameters
    ----------
    workers : int
        How many there are, at least 1. Each is started when it gets its first work.
    """

    def __init__(self, workers: int) -> None:
        self._threads = Threads(
            workers, thread_name_prefix="process", initializer=_block_interrupts
        )
        self._mine = threading.local()
        self._pools: dict[ProcessPoolExecutor, int] = {}
        self._lock = threading.Lock()
        self._is_stopped = False

    @property
    def process_ids(self) -> list[int]:
        """Ids of the processes there are now."""
        with self._lock:
            return list(self._pools.values())

    def submit(
        self, function: Callable[P, Result], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[Result]:
        """Run the function in a process; the future fails with `BrokenExecutor` if that dies."""

        def run() -> Result:
            pool = self._own_pool()
            try:
                return pool.submit(function, *args, **kwargs).result()
            except BrokenExecutor:
                self._give_up(pool)
                raise

        return self._threads.submit(run)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes, once they have done what was submitted."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        if wait:
            for pool in self._pools:
                pool.shutdown()
            self._pools.clear()

    def stop(self) -> None:
        """End the processes now, whatever they do."""
        with self._lock:
            self._is_stopped = True
            for process_id in self._pools.values():
                _kill(process_id)
        self.shutdown(cancel_futures=True)

    def _own_pool(self) -> ProcessPoolExecutor:
        """The pool of this thread, which no other uses."""
        pool: ProcessPoolExecutor | None = getattr(self._mine, "pool", None)
        if pool is None:
            context = multiprocessing.get_context("spawn")
            pool = ProcessPoolExecutor(1, mp_context=context, initializer=set_up_process)
            process_id = pool.submit(os.getpid).result()
            with self._lock:
                self._pools[pool] = process_id
                if self._is_stopped:
                    _kill(process_id)
            self._mine.pool = pool
        return pool

    def _give_up(self, pool: ProcessPoolExecutor) -> None:
        self._mine.pool = None
        with self._lock:
            self._pools.pop(pool, None)
        pool.shutdown()


def _block_interrupts() -> None:
    """Keep Ctrl-C from what this thread starts, which cannot do so itself before it has begun."""
    if sys.platform != "win32":
        resource_tracker.ensure_running()  # its start unblocks it again
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _kill(process_id: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process_id, getattr(signal, "SIGKILL", signal.SIGTERM))  # Windows has no SIGKILL


@contextmanager
def open_engine(
    name: str = PROCESSES, *, workers: int | None = None, address: str | None = None
) -> Iterator[Engine]:
    """An engine, which is ended with what it still does if the block is left by an error.

    Parameters
    ----------
    name : str
        One of `ENGINES`.
    workers : int, optional
        How many workers are started on this machine; one a core if left out.
    address : str, optional
        Of a cluster that runs already, in the engine's own spelling. Nothing is started then.

    Raises
    ------
    JobError
        If the engine is not installed or does not answer, or the options contradict each other.
    """
    if address and name == PROCESSES:
        raise JobError("--address goes with --on dask or --on ray: processes have no address")
    if address and workers:
        raise JobError("--workers goes without --address: a cluster has workers of its own")
    n_workers = workers or process_cpu_count() or 1
    opened = {PROCESSES: _open_processes, DASK: _open_dask, RAY: _open_ray}[name]
    with opened(n_workers, address) as engine:
        yield engine


@contextmanager
def _open_processes(workers: int, _: str | None) -> Iterator[Engine]:
    executor = Processes(workers)
    try:
        yield Engine(executor=executor, at_once=2 * workers)
    except BaseException:
        executor.stop()
        raise
    executor.shutdown()


@contextmanager
def _open_dask(workers: int, address: str | None) -> Iterator[Engine]:
    distributed = _load("distributed", DASK)
    # The scheduler of this machine does not try again by itself: the driver does, and counts.
    with import_module("dask").config.set({"distributed.scheduler.allowed-failures": 0}):
        with _connecting(DASK, address):
            client = distributed.Client(
                address
                or distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    host=LOOPBACK,
                    dashboard_address=None,
                    silence_logs=logging.CRITICAL,
                ),
                timeout=PATIENCE,
            )
        try:
            if not address:
                client.register_worker_callbacks(set_up_process)
            n_threads = sum(client.nthreads().values()) or 1
            yield Engine(
                executor=client.get_executor(pure=False),
                at_once=2 * n_threads,
                is_remote=bool(address),
            )
        finally:
            cluster = client.cluster
            client.close()
            if cluster is not None:
                cluster.close()


@contextmanager
def _open_ray(workers: int, address: str | None) -> Iterator[Engine]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns
    if not address:  # a cluster of one machine listens on the loopback interface alone
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    ray = _load("ray", RAY)
    local = {"num_cpus": workers, "include_dashboard": False}
    # Ray writes of workers that died to standard output, which is for results.
    with redirect_stdout(sys.stderr):
        with _connecting(RAY, address):
            ray.init(
                address or "local",
                log_to_driver=False,
                logging_level=logging.CRITICAL,
                **({} if address else local),
            )
        try:
            n_cores = int(ray.cluster_resources().get("CPU", 1)) or 1
            executor = _RayExecutor(ray)
            yield Engine(executor=executor, at_once=2 * n_cores, is_remote=bool(address))
        finally:
            ray.shutdown()


class _RayExecutor(Executor):
    def __init__(self, ray: Any) -> None:
        self._call = ray.remote(_call).options(max_retries=0)

    def submit(
        self, function: Callable[P, Result], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[Result]:
        future: Future[Result] = self._call.remote(function, args, kwargs).future()
        return future


def _call(function: Callable[..., Result], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Result:
    return function(*args, **kwargs)


def _load(package: str, engine: str) -> Any:
    need(package, f"--on {engine}")
    return import_module(package)


@contextmanager
def _connecting(engine: str, address: str | None) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        place = f"at {address}" if address else "on this machine"
        raise JobError(f"{engine} cannot be used {place}: {error}") from error
