"""How a training run shows where it is: a bar on a terminal, a line now and then in a log."""

import sys
import time
from collections.abc import Mapping

LINE_EVERY = 15.0  # seconds between lines where there is no terminal


class Progress:
    """Show rate, time left and the latest figures, on stderr.

    Args:
        first: the step the run starts from.
        steps: the step it ends at, or None.
        seconds: how long it may go on, or None. With both, whichever ends first decides the time left.
    """

    def __init__(self, *, first: int, steps: int | None, seconds: float | None):
        self._first, self._steps, self._seconds = first, steps, seconds
        self._begun = self._shown = time.monotonic()
        self._bar = None
        if sys.stderr.isatty():
            from tqdm import tqdm

            # Clock or steps may decide how much is done, so the bar counts thousandths of the run.
            layout = "{percentage:3.0f}%|{bar:20}| {desc}"
            self._bar = tqdm(total=1000, file=sys.stderr, bar_format=layout, dynamic_ncols=True, leave=True)

    def update(self, step: int, figures: Mapping[str, float]) -> None:
        """Say that ``step`` is done; ``figures`` are shown by name."""
        if self._bar is not None:
            self._bar.n = round(1000 * self.fraction(step))
            self._bar.set_description_str(self._describe(step, figures), refresh=False)
            self._bar.update(0)
        elif time.monotonic() - self._shown >= LINE_EVERY:
            self._shown = time.monotonic()
            self._print(step, figures)

    def say(self, line: str) -> None:
        """Print a line without tearing the bar."""
        if self._bar is not None:
            self._bar.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)

    def close(self, step: int, figures: Mapping[str, float]) -> None:
        """Show the last state and leave the line."""
        if self._bar is not None:
            self.update(step, figures)
            self._bar.refresh()
            self._bar.close()
        else:
            self._print(step, figures)

    def fraction(self, step: int) -> float:
        """Return the share of the run that is done, in [0, 1]."""
        parts = [0.0]
        if self._steps is not None and self._steps > self._first:
            parts.append((step - self._first) / (self._steps - self._first))
        if self._seconds:
            parts.append((time.monotonic() - self._begun) / self._seconds)
        return min(max(parts), 1.0)

    def _describe(self, step: int, figures: Mapping[str, float]) -> str:
        elapsed = time.monotonic() - self._begun
        done = self.fraction(step)
        rate = (step - self._first) / elapsed if elapsed > 0 else 0.0
        left = clock(elapsed * (1 - done) / done) if done > 0 else "?"
        values = "  ".join(f"{name} {value:.3f}" for name, value in figures.items())
        return f"step {step}  {rate:.1f}/s  {left} left  {values}"

    def _print(self, step: int, figures: Mapping[str, float]) -> None:
        print(f"{self.fraction(step):4.0%}  {self._describe(step, figures)}", file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """Return a duration in the form 1:05 or 2:00:00."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
