#!/usr/bin/env python3
"""What Python's csv module reads from the collections of odd files: the expectation of the test
`source::torture::values_are_those_of_a_second_reader`.

Usage: scripts/csv_expectations.py FOLDER > src/source/torture.tsv
FOLDER holds csv-torture and customers. Each line: file, rows, columns, digest of all cells.

A digest is FNV-1a (64 bit) over the cells of the rows below the header, each followed by 0x1F, each
row by 0x1E; rows without a filled cell are left out, and empty cells at the end of a row. Files
that the two readers mean to read differently are left out: see BELOW and OTHER.
"""
import csv
import pathlib
import sys

csv.field_size_limit(1 << 24)

# How a person who looks at the file would read it: encoding, delimiter, rows above the header.
BELOW = {
    "derived-nw-cp1252-semicolon.csv": ("cp1252", ";", 0),
    "derived-nw-utf16le-tab.txt": ("utf-16", "\t", 0),
    "fl-accent.csv": ("utf-8", ";", 0),
    "fl-delimiter.csv": ("utf-8", ";", 0),
    "fl-latin1.csv": ("cp1252", ",", 0),
    "fl-matrix-with-comment.csv": ("utf-8", ",", 1),
    "fl-table-infer-iso-8859-7.csv": ("iso-8859-7", ",", 0),
    "fl-table-with-accents.csv": ("cp1252", ";", 0),
    "nodecsv-399.csv": ("utf-8", ",", 1),
    "rustcsv-smallpop-colon.csv": ("utf-8", ":", 0),
    "rustcsv-uspop-latin1.csv": ("cp1252", ",", 0),
    "sf-csvtext_BOM_UTF16LE.csv": ("utf-16", ",", 0),
    "tb-csv_semicolon.csv": ("utf-8", ";", 0),
    "tb-utf16_addressbook.csv": ("utf-16", ",", 0),
}
# Rows at fault are the point of these; the test's table says which.
OTHER = {
    "derived-nw-header-row5.csv",
    "fl-capital-invalid.csv",
    "fl-defective-rows.csv",
    "fl-empty.csv",
    # Quotes behind a space, and one behind a backslash.
    "fl-escaping.csv",
    "fl-skip-rows.csv",
    "fl-structure-errors.csv",
    "nodecsv-415.csv",
    # UTF-32 with the byte order mark of UTF-16, which Python refuses.
    "sf-csvtext_BOM_UTF32LE.csv",
}


def digest(rows):
    value = 0xCBF29CE484222325
    for row in rows:
        for byte in b"".join(cell.encode() + b"\x1f" for cell in row) + b"\x1e":
            value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def main():
    data = pathlib.Path(sys.argv[1])
    print("# Written by scripts/csv_expectations.py: file, rows, columns, digest.")
    for folder in ["csv-torture", "customers"]:
        for path in sorted((data / folder).iterdir()):
            if path.suffix not in (".csv", ".txt") or path.name in OTHER:
                continue
            if path.name == "papa-test-cases.js.txt":
                continue
            encoding, delimiter, above = BELOW.get(path.name, ("utf-8-sig", ",", 0))
            with open(path, encoding=encoding, newline="") as file:
                rows = list(csv.reader(file, delimiter=delimiter))
            rows = [row for row in rows if above or any(cell.strip() for cell in row)][above:]
            header, rows = rows[0], rows[1:]
            rows = [row for row in rows if any(cell.strip() for cell in row)]
            for row in rows:
                while row and not row[-1]:
                    row.pop()
            print(f"{folder}/{path.name}\t{len(rows)}\t{len(header)}\t{digest(rows)}")


main()
