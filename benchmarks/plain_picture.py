"""The picture of plain.py: what every operation takes by definition, with its kernel and in PyTorch."""

COLOURS = {
    "definition": "#b5b5b5",
    "kernel": "#0072b2",
    "pytorch": "#e69f00",
}  # the colour-blind see them too
LABELS = {"definition": "by definition", "kernel": "with its kernel", "pytorch": "PyTorch"}
FASTER, SLOWER = COLOURS["kernel"], "#c0392b"
UNITS = ((1e-6, "µs"), (1e-3, "ms"), (1.0, "s"))
# In inches: a row; above a panel its title, below it its axis; beside it names and a margin; the whole
# figure's width, and its head.
ROW, ABOVE, BELOW, LEFT, RIGHT, WIDTH, HEAD = 0.36, 0.4, 0.45, 1.85, 0.3, 12.2, 1.1


def panels(rows):
    """Two columns of (title, rows), the largest gain first: steps and forward, derivatives and optimisers."""

    def some(title, part, whole=False):
        found = [row for row in rows if (row["part"], row["whole"]) == (part, whole)]
        return title, sorted(found, key=gain, reverse=True)

    columns = (
        [some("Whole step", "step", whole=True), some("Forward", "forward")],
        [
            some("Derivative, for all inputs", "derivative"),
            some("Update of a DCGAN's parameters", "step"),
        ],
    )
    return [kept for column in columns if (kept := [panel for panel in column if panel[1]])]


def gain(row):
    """How many times faster than by definition."""
    return row["definition/kernel"]["ratio"]


def written(seconds, _=None):
    """Seconds in words: "2 ms"."""
    unit, name = next((s for s in reversed(UNITS) if seconds >= 0.999 * s[0]), UNITS[0])
    return f"{seconds / unit:g} {name}"


def limits(rows):
    """Ends of the axis of times, with room for the gains."""
    times = [row[side] for row in rows for side in COLOURS if side in row]
    return min(times) / 1.6, max(times) * 2.4


def draw_panel(axes, title, rows):
    """A bar for each side of each row, and the gain at the end of the longest."""
    sides = [side for side in COLOURS if side in rows[0]]
    thick = 0.84 / len(sides)
    for i, side in enumerate(sides):
        places = [place + (i - (len(sides) - 1) / 2) * thick for place in range(len(rows))]
        axes.barh(places, [row[side] for row in rows], thick, color=COLOURS[side])
    for place, row in enumerate(rows):
        text = f"{gain(row):.1f}×" if gain(row) < 9.95 else f"{gain(row):.0f}×"
        axes.annotate(text, (max(row[side] for side in sides), place), xytext=(4, 0),
                      textcoords="offset points", va="center", fontsize=10, fontweight="bold",
                      color=FASTER if gain(row) >= 1 else SLOWER)  # fmt: skip
    axes.set(xscale="log", ylim=(len(rows) - 0.5, -0.5))
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows], fontsize=10)
    axes.set_title(title, fontsize=12, fontweight="bold", loc="left")
    axes.xaxis.set_major_formatter(written)
    axes.xaxis.set_minor_formatter("")
    axes.grid(axis="x", which="major", color="#d8d8d8", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)


def environment(facts):
    """The machine and the versions, on one line."""
    names = [
        facts["processor"] or "unknown processor",
        f"{facts['threads']} threads",
        f"NumPy {facts['numpy']}",
    ]
    names.append(facts["blas"].replace("scipy-openblas", "OpenBLAS"))
    names += [f"PyTorch {facts['torch']}"] if "torch" in facts else []
    return ", ".join([*names, "float32"])


def draw_head(figure, height, facts, sides):
    """Title, environment, and what the colours and the numbers mean."""
    from matplotlib.patches import Patch

    middle = {"x": 0.5, "ha": "center", "va": "center"}
    title = "What the kernels buy: time of one call (shorter is better; logarithmic axes)"
    figure.text(y=1 - 0.25 / height, s=title, fontsize=15, fontweight="bold", **middle)
    figure.text(y=1 - 0.53 / height, s=environment(facts), fontsize=10, color="#555555", **middle)
    handles = [Patch(color=COLOURS[side], label=LABELS[side]) for side in sides]
    handles.append(Patch(color="none", label="3.0×: that many times faster than by definition"))
    legend = figure.legend(handles=handles, loc="center", ncols=len(handles), frameon=False, fontsize=11,
                           bbox_to_anchor=(0.5, 1 - 0.86 / height), columnspacing=1.6)  # fmt: skip
    legend.get_texts()[-1].set(color=FASTER, fontweight="bold")


def draw(path, rows, facts):
    """Write the picture."""
    from matplotlib.figure import Figure

    columns = panels(rows)
    tall = max(sum(ABOVE + ROW * len(some) + BELOW for _, some in column) for column in columns)
    height, wide = tall + HEAD, WIDTH / len(columns)
    figure = Figure(figsize=(WIDTH, height))
    draw_head(figure, height, facts, [side for side in COLOURS if side in rows[0]])
    parts = [row for row in rows if row["part"] != "step"]
    for i, column in enumerate(columns):
        top = height - HEAD
        for title, some in column:
            bottom = top - ABOVE - ROW * len(some)
            box = (wide * i + LEFT) / WIDTH, bottom / height, (wide - LEFT - RIGHT) / WIDTH
            axes = figure.add_axes((*box, ROW * len(some) / height))
            draw_panel(axes, title, some)
            axes.set_xlim(limits(parts if some[0] in parts else some))
            top = bottom - BELOW
    figure.savefig(path, dpi=110)
    print(f"wrote {path}")
