#!/usr/bin/env python3
"""Writes an .xlsb workbook of any size, for measuring how it is read: 18 columns, ten of them with shared
texts that no other row has, four with texts that many have, four with numbers.

    scripts/big_xlsb.py big.xlsb 300000
    scripts/limits.py target/release/rowferry big.xlsb

Records are those of [MS-XLSB] 2.3; only what a reader needs is written.
"""

import struct
import sys
import zipfile

UNIQUE = ["Customer Id", "First Name", "Last Name", "Company", "Address", "Phone", "Email", "Notes", "Tags", "Job"]
COMMON = ["City", "Country", "Gender", "Newsletter"]
NUMBERS = ["Credit Limit", "Orders", "Points", "Age"]
COLUMNS = UNIQUE + COMMON + NUMBERS

RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"'
    ' Target="worksheets/sheet1.bin"/><Relationship Id="rId2" Type='
    '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.bin"/>'
    "</Relationships>"
)


def record(kind, data=b""):
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    length, size = b"", len(data)
    while True:
        size, low = size >> 7, size & 0x7F
        length += bytes([low | 0x80 if size else low])
        if not size:
            return head + length + data


def wide(text):
    units = text.encode("utf-16-le")
    return struct.pack("<I", len(units) // 2) + units


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    rows = int(sys.argv[2])
    few = [f"{name} {number}" for name in COMMON for number in range(50)]
    with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        book.writestr("xl/_rels/workbook.bin.rels", RELATIONS)
        # BrtBundleSh: state, number, relation, name; and the end of the list.
        sheet = struct.pack("<II", 0, 1) + wide("rId1") + wide("Clients")
        book.writestr("xl/workbook.bin", record(0x9C, sheet) + record(0x90))
        with book.open("xl/sharedStrings.bin", "w", force_zip64=True) as part:
            for text in COLUMNS + few:
                part.write(record(0x13, b"\0" + wide(text)))
            for row in range(rows):
                texts = (f"{name} of customer {row}" for name in UNIQUE)
                part.write(b"".join(record(0x13, b"\0" + wide(text)) for text in texts))
        with book.open("xl/worksheets/sheet1.bin", "w", force_zip64=True) as part:
            part.write(record(0x91))
            for row in range(rows + 1):
                out = [record(0x00, struct.pack("<I", row) + bytes(13))]
                for column, name in enumerate(COLUMNS):
                    cell = struct.pack("<II", column, 0)
                    if row == 0:
                        out.append(record(0x07, cell + struct.pack("<I", column)))
                    elif name in NUMBERS:
                        out.append(record(0x05, cell + struct.pack("<d", row * (column + 1) % 9973)))
                    else:
                        first = len(COLUMNS)
                        if name in COMMON:
                            text = first + 50 * COMMON.index(name) + row % 50
                        else:
                            text = first + len(few) + (row - 1) * len(UNIQUE) + column
                        out.append(record(0x07, cell + struct.pack("<I", text)))
                part.write(b"".join(out))
            part.write(record(0x92))


main()
