#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A terminal session as SVG: from standard input to standard output."""

import sys
from xml.sax.saxutils import escape

WIDTH, HEIGHT, MARGIN = 8.4, 19, 18  # of a character, of a line, around all
STYLES = {"$": "#8ae234", "V": "#729fcf"}  # commands; verdicts and headings

lines = sys.stdin.read().rstrip("\n").split("\n")
width = max(map(len, lines)) * WIDTH + 2 * MARGIN
height = len(lines) * HEIGHT + 2 * MARGIN

print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" role="img" '
      f'aria-label="A session with fwctl: block, show, check, stats, unblock">')
print(f'<rect width="100%" height="100%" rx="8" fill="#1d1f21"/>')
print(f'<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" fill="#d3d7cf" style="white-space:pre" xml:space="preserve">')
for n, line in enumerate(lines):
    y = MARGIN + (n + 0.75) * HEIGHT
    color = STYLES["$"] if line.startswith("$ ") else STYLES["V"] if line.isupper() else None
    fill = f' fill="{color}"' if color else ""
    print(f'<text x="{MARGIN}" y="{y:.0f}"{fill}>{escape(line)}</text>')
print("</g>\n</svg>")
