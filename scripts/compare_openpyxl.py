#!/usr/bin/env python3
"""What openpyxl reads of .xlsx files beside what the tests expect of ours (needs `pip install openpyxl`).

    scripts/compare_openpyxl.py FOLDER

Compares with src/source/torture_workbooks.digests.txt: how many cells hold something, how many of
them are numbers or dates, and a digest of place, kind and text of all the others. openpyxl reads
no strict OOXML: of such files it finds no cells.
"""

import datetime
import sys
import warnings
from pathlib import Path

import openpyxl

NUMBERS = (int, float, datetime.date, datetime.time, datetime.timedelta)


def cell(found):
    """Kind and text of a cell, as the digests count them."""
    value = found.value
    if isinstance(value, bool):
        return "b", str(value).upper()
    if isinstance(value, NUMBERS):
        return "n", ""
    kind = "e" if found.data_type == "e" else "t"
    return kind, str(value).strip(" \t\r\n")


def digest(path):
    filled = numbers = 0
    sum_ = 0xCBF29CE484222325
    for sheet in openpyxl.load_workbook(path, data_only=True).worksheets:
        for found in (found for row in sheet.iter_rows() for found in row):
            if found.value is None:
                continue
            kind, text = cell(found)
            if kind != "n" and text == "":
                continue
            filled += 1
            if kind == "n":
                numbers += 1
                continue
            line = f"{found.row},{found.column},{kind},{text}\n"
            for byte in line.encode("utf-8", "replace"):
                sum_ = (sum_ ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{filled}\t{numbers}\t{sum_:016x}"


warnings.simplefilter("ignore")
root = Path(__file__).resolve().parent.parent
table = (root / "src/source/torture_workbooks.digests.txt").read_text()
wanted = dict(line.split("\t", 1) for line in table.splitlines() if "\t" in line)
same = 0
for path in sorted(Path(sys.argv[1]).glob("*.xlsx")):
    if path.name not in wanted:
        continue
    try:
        found = digest(path)
    except Exception as error:  # The comparison is for files that both can read.
        print(f"{path.name}: openpyxl cannot read it: {type(error).__name__} {error}")
        continue
    if found == wanted[path.name]:
        same += 1
    else:
        print(f"{path.name}: openpyxl {found}, ours {wanted[path.name]}")
print(f"{same} the same")
