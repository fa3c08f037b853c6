//! The cells of a sheet put together into rows.

use std::io;
use std::ops::ControlFlow;

use super::MOST_COLUMNS;
use crate::area::Area;
use crate::row::{Formats, Kind};

/// One row under way: its cells with their columns, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct SheetRow {
    row: u32,
    text: String,
    cells: Vec<RowCell>,
    formats: Option<Formats>,
}

#[derive(Debug, Clone, Copy)]
struct RowCell {
    column: usize,
    start: usize,
    end: usize,
    kind: Kind,
    format: u16,
}

impl SheetRow {
    /// The row's number, from 1.
    pub(super) fn number(&self) -> u64 {
        u64::from(self.row) + 1
    }

    pub(super) fn last_column(&self) -> usize {
        self.cells.last().map_or(0, |cell| cell.column)
    }

    /// Column index within the sheet, text and kind of each cell that is there, in order.
    pub(super) fn cells(&self) -> impl Iterator<Item = (usize, &str, Kind)> {
        self.cells
            .iter()
            .map(|cell| (cell.column, &self.text[cell.start..cell.end], cell.kind))
    }

    /// The number of the number format of each of [`SheetRow::cells`].
    pub(super) fn formats(&self) -> impl Iterator<Item = u16> {
        self.cells.iter().map(|cell| cell.format)
    }

    /// What those numbers mean, where the format of the file tells.
    pub(super) fn codes(&self) -> Option<&Formats> {
        self.formats.as_ref()
    }

    fn begin(&mut self, row: u32) {
        self.row = row;
        self.text.clear();
        self.cells.clear();
    }

    fn is_blank(&self) -> bool {
        self.text.bytes().all(|byte| byte.is_ascii_whitespace())
    }

    /// Brings the cells into order; of two in one place the later counts.
    fn settle(&mut self) {
        if !self.cells.is_sorted_by(|a, b| a.column < b.column) {
            self.cells.reverse();
            self.cells.sort_by_key(|cell| cell.column);
            self.cells.dedup_by_key(|cell| cell.column);
        }
    }

    fn push(
        &mut self,
        column: u32,
        format: usize,
        write: impl FnOnce(&mut String) -> io::Result<Kind>,
    ) -> io::Result<()> {
        let column = column as usize;
        if column >= MOST_COLUMNS {
            return Ok(());
        }
        let start = self.text.len();
        let kind = write(&mut self.text)?;
        self.cells.push(RowCell {
            column,
            start,
            end: self.text.len(),
            kind,
            format: u16::try_from(format).unwrap_or(0),
        });
        Ok(())
    }
}

/// What is done with each row that is not blank.
pub(super) type Take<'a> = dyn FnMut(&SheetRow) -> ControlFlow<()> + 'a;

/// Puts the cells of an area of a sheet together into rows.
pub(super) struct Rows<'a, 'b> {
    current: SheetRow,
    area: Area,
    take: &'a mut Take<'b>,
}

impl<'a, 'b> Rows<'a, 'b> {
    pub(super) fn new(area: Area, take: &'a mut Take<'b>) -> Self {
        Self {
            current: SheetRow::default(),
            area,
            take,
        }
    }

    /// Says what the formats of the cells are, by number.
    pub(super) fn set_formats(&mut self, formats: Formats) {
        self.current.formats = Some(formats);
    }

    /// Adds a cell; what was put together is handed over where it begins a row.
    pub(super) fn cell(
        &mut self,
        place: (u32, u32),
        write: impl FnOnce(&mut String) -> io::Result<Kind>,
    ) -> io::Result<ControlFlow<()>> {
        self.shown_cell(place, 0, write)
    }

    /// The same of a cell that is shown by the number format of this number.
    pub(super) fn shown_cell(
        &mut self,
        (row, column): (u32, u32),
        format: usize,
        write: impl FnOnce(&mut String) -> io::Result<Kind>,
    ) -> io::Result<ControlFlow<()>> {
        if row != self.current.row {
            if self.finish().is_break() {
                return Ok(ControlFlow::Break(()));
            }
            self.current.begin(row);
        }
        let number = u64::from(row) + 1;
        if number > self.area.rows.1 {
            return Ok(ControlFlow::Break(()));
        }
        let columns = self.area.columns.0..=self.area.columns.1;
        if number >= self.area.rows.0 && columns.contains(&(column as usize)) {
            self.current.push(column, format, write)?;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Hands over the last row.
    pub(super) fn finish(&mut self) -> ControlFlow<()> {
        if self.current.cells.is_empty() || self.current.is_blank() {
            return ControlFlow::Continue(());
        }
        self.current.settle();
        (self.take)(&self.current)
    }
}
