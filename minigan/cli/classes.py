"""What the classes of a data set must be for a run whose networks are told them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from minigan.errors import DataError

if TYPE_CHECKING:
    from minigan.data import Dataset


def check_classes(record: dict[str, Any], classes: int, dataset: Dataset) -> None:
    """Raise DataError where the labels would not mean what the conditional networks learnt.

    A record without names is of a run whose folders were numbered in alphabetical order.
    """
    folders = Path(record["data"]["data"]).is_dir()
    known = record["data"].get("classes", sorted(dataset.classes) if folders else dataset.classes)
    if classes and list(known) != list(dataset.classes):
        raise DataError(
            f"--resume: the run learnt the classes as {', '.join(known)}, and they are now "
            f"{', '.join(dataset.classes)}; bring the old names back, or start a new run"
        )


def check_labels(dataset: Dataset, classes: int) -> None:
    """Raise DataError unless conditional networks (classes > 0) get the labels they need."""
    if not classes:
        return
    if dataset.labels is None:
        raise DataError(
            f"conditional training needs labels, {dataset.name} has none; put the pictures of each class "
            "into a sub-folder of its own"
        )
    if dataset.labels.max() >= classes:
        raise DataError(
            f"{dataset.name} has labels up to {dataset.labels.max()}, expected less than {classes} classes"
        )
