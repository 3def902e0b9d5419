"""What all aggregators have in common: scikit-learn's conventions, without scikit-learn.

A setting is a field of the dataclass, and is checked when `fit` is called; what `fit` finds is a
field with a name that ends in ``_``, which is not there before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, Field, fields
from math import isfinite
from numbers import Real
from typing import Any, Self


class Aggregator:
    """An estimator of scikit-learn's kind: `get_params`, `set_params`, `clone`, `repr`.

    A subclass is a dataclass with ``repr=False, eq=False``.
    """

    @classmethod
    def _setting_fields(cls) -> Iterable[Field[Any]]:
        return (field for field in fields(cls) if field.init)  # type: ignore[arg-type]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The settings by name; with `deep` also those of an aggregator among them.

        Examples
        --------
        >>> from labeljob import BinaryRelevance, MajorityVote
        >>> BinaryRelevance(MajorityVote()).get_params()["base_aggregator__on_missing_skill"]
        'error'
        """
        params = {field.name: getattr(self, field.name) for field in self._setting_fields()}
        if deep:
            for name, value in list(params.items()):
                if isinstance(value, Aggregator):
                    inner = value.get_params()
                    params |= {f"{name}__{inside}": inner[inside] for inside in inner}
        return params

    def set_params(self, **params: Any) -> Self:
        """Change settings, ``base_aggregator__n_iter`` for one of an aggregator inside; `self`.

        Raises
        ------
        ValueError
            If there is no such setting.
        """
        own = self.get_params(deep=False)
        for name, value in sorted(params.items(), key=lambda item: "__" in item[0]):
            outer, _, inside = name.partition("__")
            if outer not in own or (inside and not isinstance(own[outer], Aggregator)):
                raise ValueError(
                    f"{type(self).__name__} has no setting {name!r}; it has {', '.join(own)}"
                )
            if inside:
                own[outer].set_params(**{inside: value})
            else:
                own[name] = value
                setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        """The call that makes it, with what is not as by default."""
        changed = []
        for field in self._setting_fields():
            value = getattr(self, field.name)
            default = field.default
            if field.default_factory is not MISSING:
                default = field.default_factory()
            if repr(value) != repr(default):
                changed.append(f"{field.name}={value!r}")
        return f"{type(self).__name__}({', '.join(changed)})"

    def __getattr__(self, name: str) -> Any:
        """Say of what `fit` finds that it is not there yet."""
        results = (field.name for field in fields(type(self)) if not field.init)  # type: ignore[arg-type]
        if name in results or (not name.endswith("__") and hasattr(type(self), name)):
            hint = "call fit, or fit_predict, first"
            if "labels_" in self.__dict__:
                hint = "a setting has to ask for it before fit is called"
            raise AttributeError(f"{type(self).__name__} has no {name} yet: {hint}")
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")


def clone(aggregator: Aggregator) -> Any:
    """A new aggregator with the same settings, as if it was never fitted."""
    params = aggregator.get_params(deep=False)
    return type(aggregator)(
        **{
            name: clone(value) if isinstance(value, Aggregator) else value
            for name, value in params.items()
        }
    )


def check_number(
    name: str, value: Any, *, least: float = 0.0, most: float = float("inf"), above: bool = False
) -> None:
    """Raise `ValueError` unless a setting is a number in a range; with `above` not the least."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if (
        is_number
        and isfinite(value)
        and (least < value if above else least <= value)
        and value <= most
    ):
        return
    low = f"above {least:g}" if above else f"of {least:g} or more"
    high = "" if most == float("inf") else f", {most:g} at most"
    raise ValueError(f"{name}={value!r} is not a number {low}{high}")


def check_whole_number(name: str, value: Any, *, least: int) -> None:
    """Raise `ValueError` unless a setting is a whole number, and large enough."""
    check_number(name, value, least=least)
    if int(value) != value:
        raise ValueError(f"{name}={value!r} is not a whole number")


def check_rounds(n_iter: Any, tol: Any, least: int = 1) -> None:
    """Raise `ValueError` unless these say when an algorithm that makes rounds ends."""
    check_whole_number("n_iter", n_iter, least=least)
    check_number("tol", tol)
