"""Draws what `firebreak demo` prints as an SVG: usage: timeline_svg.py FIREBREAK_BINARY OUTPUT.svg"""

import html
import os
import re
import subprocess
import sys

COLUMNS, LINE, CHARACTER, MARGIN = 118, 19, 8.43, 16
COLOURS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341"}
CODE = re.compile(r"\x1b\[([0-9;]*)m")


def recorded(binary: str) -> list[str]:
    """The lines of one run, with their colours and without the link that holds a token."""
    environment = {**os.environ, "CLICOLOR_FORCE": "1", "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    run = subprocess.run([binary, "demo", "--listen", "127.0.0.1:8080"], env=environment, check=True, capture_output=True)
    lines = run.stdout.decode().rstrip().splitlines()
    return [re.sub(r"/login\?token=\w+", "", line) for line in lines]


def spans(line: str) -> str:
    """One line as coloured pieces, cut at the width of the picture."""
    drawn, style, room = [], {}, COLUMNS
    for index, piece in enumerate(CODE.split(line)):
        if index % 2:
            for code in piece.split(";"):
                style = {} if code in ("", "0") else {**style, **attribute(code)}
        elif piece:
            text = piece if len(piece) <= room else piece[: max(room - 1, 0)] + "…"
            room -= len(text)
            attributes = "".join(f' {name}="{value}"' for name, value in style.items())
            drawn.append(f"<tspan{attributes}>{html.escape(text)}</tspan>")
        if room <= 0:
            break
    return "".join(drawn)


def attribute(code: str) -> dict[str, str]:
    if code in COLOURS:
        return {"fill": COLOURS[code]}
    return {"1": {"font-weight": "bold"}, "2": {"fill": "#8b949e"}}.get(code, {})


def drawing(lines: list[str]) -> str:
    width = round(COLUMNS * CHARACTER + 2 * MARGIN)
    height = len(lines) * LINE + 2 * MARGIN
    rows = "\n".join(
        f'<text x="{MARGIN}" y="{MARGIN + (number + 1) * LINE - 5}" xml:space="preserve">{spans(line)}</text>'
        for number, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="14" fill="#e6edf3">\n'
        f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>\n{rows}\n</svg>\n'
    )


def main() -> None:
    binary, output = sys.argv[1:]
    with open(output, "w", encoding="utf-8") as file:
        file.write(drawing(recorded(binary)))


main()
