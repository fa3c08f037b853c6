//! The cells of one sheet, row by row, through `calamine`.
//!
//! XLSX and XLSB are streamed: a sheet is written anew while `calamine` reads it (see
//! [`super::stage`]), and the texts that cells share are kept beside it. Files of strangers have
//! made the reader panic; such a panic is caught here and becomes the sentence that the workbook is
//! damaged. What was being read is dropped then, so that nothing half done is used again.

use std::collections::HashMap;
use std::io::{self, BufReader, Cursor, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

use calamine::{Data, DataType, Ods, Reader, SheetType, SheetVisible, Xls, Xlsb, Xlsx};

use super::aside::{Ahead, Shared};
use super::container::Format;
use super::number::NumberFormat;
use super::ooxml::{Named, Outline, stand_in};
use super::origin::{FileReader, Origin};
use super::package::Package;
use super::sheet_cell::{NO_RESULT, write_error, write_owned, write_ref};
use super::sheet_row::{Rows, Take};
use super::sheet_xml::{self, Survey};
use super::stage::{Director, Stage};
use super::texts;
use super::trouble::{Trouble, guard};
use super::{SourceError, biff, ods, sheet_bin};
use crate::area::Area;
use crate::row::Kind;

type Input = BufReader<FileReader>;

/// An opened workbook of any format.
pub(super) struct Book {
    sheets: Vec<SheetName>,
    mac: bool,
    kind: BookKind,
}

enum BookKind {
    Xlsx(Box<Streamed<Xlsx<Stage>>>),
    Xlsb(Box<Streamed<Xlsb<Stage>>>, Arc<Vec<Option<NumberFormat>>>),
    Xls(Box<Xls<Cursor<Vec<u8>>>>, HashMap<String, biff::SheetScan>),
    Ods(Box<Ods<Input>>, HashMap<String, ods::SheetScan>),
}

/// A workbook of which one sheet at a time is put before `calamine`.
struct Streamed<T> {
    package: Package,
    outline: Outline,
    cells: T,
    director: Director,
    texts: Shared,
}

impl<T> Streamed<T> {
    fn path(&self, sheet: &str) -> io::Result<&str> {
        self.outline
            .sheets
            .iter()
            .find(|part| part.name == sheet)
            .map(|part| part.path.as_str())
            .ok_or_else(|| missing(sheet))
    }

    fn part(&mut self, sheet: &str) -> io::Result<super::package::Part> {
        let path = self.path(sheet)?.to_owned();
        self.package.part(&path)?.ok_or_else(|| missing(sheet))
    }
}

fn missing(sheet: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("its sheet {sheet:?} is missing"),
    )
}

impl std::fmt::Debug for Book {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Book")
    }
}

/// A sheet by name.
#[derive(Debug, Clone)]
pub(super) struct SheetName {
    pub(super) name: String,
    pub(super) visible: bool,
}

/// A sheet that is not read and has rows.
pub(super) struct OtherSheet {
    pub(super) name: String,
    pub(super) visible: bool,
    pub(super) rows: u64,
}

impl Book {
    pub(super) fn open(origin: &Origin, format: Format) -> Result<Self, SourceError> {
        let opened = match format {
            Format::Xlsx | Format::Csv => Self::open_xlsx(origin),
            Format::Xlsb => Self::open_xlsb(origin),
            Format::Xls => Self::open_xls(origin),
            Format::Ods => Self::open_ods(origin),
        };
        opened
            .and_then(|book| match book.sheets.is_empty() {
                true => Err(Trouble::Other("no worksheet was found in it".to_owned())),
                false => Ok(book),
            })
            .map_err(|trouble| trouble.error(origin))
    }

    fn open_xlsx(origin: &Origin) -> Result<Self, Trouble> {
        let mut package = Package::open(origin)?;
        let outline = Outline::of_xlsx(&mut package)?;
        let texts = match &outline.texts {
            Some(path) => package.part(path)?,
            None => None,
        };
        let texts = Shared::read(texts, texts::read_xml)?;
        let styles = styles(&mut package, &outline)?;
        let main = stand_in::relations("xl/workbook.xml", "officeDocument");
        let relations = stand_in::relations("worksheets/sheet1.xml", "worksheet");
        let workbook = stand_in::workbook_xml(outline.mac);
        let mut parts: Vec<(&str, &[u8])> = vec![
            ("_rels/.rels", &main),
            ("xl/_rels/workbook.xml.rels", &relations),
            ("xl/workbook.xml", &workbook),
        ];
        if let Some(styles) = &styles {
            parts.push(("xl/styles.xml", styles));
        }
        let (stage, director) = Stage::new(&parts, stand_in::SHEET_XML);
        let cells = guard(|| Xlsx::new(stage))?;
        Ok(Self {
            sheets: names(&outline),
            mac: outline.mac,
            kind: BookKind::Xlsx(Box::new(Streamed {
                package,
                outline,
                cells,
                director,
                texts,
            })),
        })
    }

    fn open_xlsb(origin: &Origin) -> Result<Self, Trouble> {
        let mut package = Package::open(origin)?;
        let outline = Outline::of_xlsb(&mut package)?;
        let texts = match &outline.texts {
            Some(path) => package.part(path)?,
            None => None,
        };
        let texts = Shared::read(texts, sheet_bin::read_texts)?;
        let styles = styles(&mut package, &outline)?;
        let formats = match &styles {
            Some(styles) => sheet_bin::read_formats(&styles[..])?,
            None => Vec::new(),
        };
        let relations = stand_in::relations("worksheets/sheet1.bin", "worksheet");
        let workbook = stand_in::workbook_bin(outline.mac);
        let mut parts: Vec<(&str, &[u8])> = vec![
            ("xl/_rels/workbook.bin.rels", &relations),
            ("xl/workbook.bin", &workbook),
        ];
        if let Some(styles) = &styles {
            parts.push(("xl/styles.bin", styles));
        }
        let (stage, director) = Stage::new(&parts, stand_in::SHEET_BIN);
        let cells = guard(|| Xlsb::new(stage))?;
        let streamed = Streamed {
            package,
            outline,
            cells,
            director,
            texts,
        };
        Ok(Self {
            sheets: names(&streamed.outline),
            mac: streamed.outline.mac,
            kind: BookKind::Xlsb(Box::new(streamed), Arc::new(formats)),
        })
    }

    fn open_xls(origin: &Origin) -> Result<Self, Trouble> {
        let mut bytes = Vec::new();
        origin.reader(0).read_to_end(&mut bytes)?;
        let scan = biff::scan(&mut bytes).map_err(|refused| match refused {
            biff::Refused::Enciphered => Trouble::Password,
            biff::Refused::Malformed(what) => Trouble::Other(what.to_owned()),
            biff::Refused::TooFar { row, column } => Trouble::TooLarge(format!(
                "a sheet of it goes to {}{row}, and workbooks of this old format are read up to {} cells, empty ones counted",
                crate::row::column_letters(column as usize),
                biff::MOST_CELLS
            )),
        })?;
        let book = guard(|| Xls::new(Cursor::new(bytes)))?;
        let sheets = book.sheets_metadata();
        let scans = sheets
            .iter()
            .map(|sheet| sheet.name.clone())
            .zip(scan.sheets)
            .collect();
        Ok(Self {
            sheets: worksheets(sheets),
            mac: book.has_1904_epoch(),
            kind: BookKind::Xls(Box::new(book), scans),
        })
    }

    fn open_ods(origin: &Origin) -> Result<Self, Trouble> {
        let mut package = Package::open(origin)?;
        let encrypted = match package.whole("META-INF/manifest.xml")? {
            Some(manifest) => {
                memchr::memmem::find(&manifest, b"encryption-data").is_some()
                    || memchr::memmem::find(&manifest, b"encrypted-key").is_some()
            }
            None => false,
        };
        if encrypted {
            return Err(Trouble::Password);
        }
        let scans = match package.part("content.xml")? {
            Some(part) => ods::scan(part),
            None => return Err(Trouble::Other("its cells are missing".to_owned())),
        };
        let scans = scans.map_err(|refused| match refused {
            ods::Refused::Io(error) => Trouble::Io(error),
            ods::Refused::TooMany { sheet } => Trouble::TooLarge(format!(
                "its sheet {sheet:?} and those before it have more than {} cells, empty ones between others counted",
                ods::MOST_CELLS
            )),
            ods::Refused::TooLong => Trouble::TooLarge(
                "the texts of its cells, repeated ones counted, are longer than 48 MiB".to_owned(),
            ),
        });
        let mut scans = scans?;
        let meta = package.whole("meta.xml")?;
        ods::settle_results(&mut scans, meta.as_deref());
        let input = BufReader::with_capacity(64 * 1024, origin.reader(0));
        let book = guard(|| Ods::new(input))?;
        Ok(Self {
            sheets: worksheets(book.sheets_metadata()),
            mac: false,
            kind: BookKind::Ods(Box::new(book), scans.into_iter().collect()),
        })
    }

    /// The worksheets, in the workbook's order.
    pub(super) fn sheets(&self) -> &[SheetName] {
        &self.sheets
    }

    /// Whether day 0 is 1904-01-01; the dates of ODS are written as dates.
    pub(super) fn date_1904(&self) -> bool {
        self.mac
    }

    /// The sheets beside this one that have rows, and how many, header included and counted up to
    /// one more than `limit`; the visible ones first. A sheet that cannot be read is left out.
    pub(super) fn other_sheets(&mut self, sheet: &str, limit: u64) -> Vec<OtherSheet> {
        let mut others = Vec::new();
        let mut sheets = self.sheets.clone();
        sheets.sort_by_key(|sheet| !sheet.visible);
        for other in sheets {
            if other.name == sheet {
                continue;
            }
            let mut count = 0;
            let counted = self.sheet_rows(&other.name, Area::WHOLE, &mut |_| {
                count += 1;
                if count > limit {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            if counted.is_ok() && count > 0 {
                others.push(OtherSheet {
                    name: other.name,
                    visible: other.visible,
                    rows: count,
                });
            }
        }
        others
    }

    /// What a sheet says beside its cells.
    pub(super) fn survey(&mut self, origin: &Origin, sheet: &str) -> Result<Survey, SourceError> {
        let survey = match &mut self.kind {
            // The texts are read meanwhile; where both are damaged, theirs is the sentence.
            BookKind::Xlsx(book) => {
                let survey = book.part(sheet).and_then(sheet_xml::survey);
                book.texts.get().and(survey)
            }
            BookKind::Xlsb(book, _) => {
                let survey = book.part(sheet).and_then(sheet_bin::survey);
                book.texts.get().and(survey)
            }
            BookKind::Xls(book, scans) => Ok(Survey {
                hidden: scans
                    .get(sheet)
                    .map(|scan| scan.hidden.clone())
                    .unwrap_or_default(),
                widths: scans
                    .get(sheet)
                    .map(|scan| scan.widths.clone())
                    .unwrap_or_default(),
                merged: merged(book.merge_cells_by_sheet_name(sheet).unwrap_or_default()),
                no_result: scans
                    .get(sheet)
                    .map_or(0, |scan| scan.no_result.len() as u64),
                first_no_result: scans.get(sheet).and_then(|scan| {
                    let (row, column) = scan.no_result.first()?;
                    let letters = crate::row::column_letters(usize::from(*column));
                    Some(format!("{letters}{}", u32::from(*row) + 1))
                }),
            }),
            BookKind::Ods(_, scans) => Ok(scans
                .get(sheet)
                .map(|scan| scan.survey.clone())
                .unwrap_or_default()),
        };
        survey.map_err(|error| Trouble::Io(error).error(origin))
    }

    /// The tables and named cells; `None` where the format has none that are read.
    pub(super) fn named(&mut self, origin: &Origin) -> Result<Option<Vec<Named>>, SourceError> {
        let named = match &mut self.kind {
            BookKind::Xlsx(book) => book.outline.named(&mut book.package).map(Some),
            _ => Ok(None),
        };
        named.map_err(|error| Trouble::Io(error).error(origin))
    }

    /// Hands over the rows of an area of a sheet that are not blank, in the order of the file.
    pub(super) fn rows(
        &mut self,
        origin: &Origin,
        sheet: &str,
        area: Area,
        take: &mut Take<'_>,
    ) -> Result<(), SourceError> {
        self.sheet_rows(sheet, area, take)
            .map_err(|trouble| trouble.error(origin))
    }

    fn sheet_rows(&mut self, sheet: &str, area: Area, take: &mut Take<'_>) -> Result<(), Trouble> {
        let mut rows = Rows::new(area, take);
        match &mut self.kind {
            BookKind::Xlsx(book) => {
                let part = book.part(sheet)?;
                let ahead = Ahead::of(sheet_xml::Sheet::new(part))?;
                book.director.cue(Box::new(ahead));
                let Streamed {
                    cells,
                    director,
                    texts,
                    ..
                } = &mut **book;
                let texts = texts.get()?;
                let better = |trouble| director.failure().map_or(trouble, Trouble::Io);
                let mut reader =
                    guard(|| cells.worksheet_cells_reader(stand_in::NAME)).map_err(better)?;
                let formats: Vec<Option<NumberFormat>> = reader
                    .styles()
                    .iter()
                    .map(|style| NumberFormat::parse(&style.number_format.as_ref()?.format_code))
                    .collect();
                rows.set_formats(reader.styles().iter().map(code).collect());
                loop {
                    let next = guard(|| reader.next_cell_with_style_id()).map_err(better)?;
                    let Some((cell, style)) = next else { break };
                    let format = formats.get(style).and_then(Option::as_ref);
                    let write =
                        |out: &mut String| write_ref(out, cell.get_value(), texts, format, &[]);
                    if rows
                        .shown_cell(cell.get_position(), style, write)?
                        .is_break()
                    {
                        return Ok(());
                    }
                }
            }
            BookKind::Xlsb(book, formats) => {
                let part = book.part(sheet)?;
                let script = sheet_bin::Sheet::new(part, Arc::clone(formats));
                book.director.cue(Box::new(Ahead::of(script)?));
                let Streamed {
                    cells,
                    director,
                    texts,
                    ..
                } = &mut **book;
                let texts = texts.get()?;
                let better = |trouble| director.failure().map_or(trouble, Trouble::Io);
                let mut reader =
                    guard(|| cells.worksheet_cells_reader(stand_in::NAME)).map_err(better)?;
                while let Some(cell) = guard(|| reader.next_cell()).map_err(better)? {
                    let write =
                        |out: &mut String| write_ref(out, cell.get_value(), texts, None, formats);
                    if rows.cell(cell.get_position(), write)?.is_break() {
                        return Ok(());
                    }
                }
            }
            BookKind::Xls(book, scans) => {
                let range = guard(|| book.worksheet_range(sheet))?;
                let scan = scans.get(sheet);
                let write = |out: &mut String, (row, column): (u32, u32), value: &Data| {
                    if let Data::String(text) = value {
                        if text.is_empty()
                            && scan.is_some_and(|scan| scan.has_no_result(row, column))
                        {
                            return write_error(out, NO_RESULT);
                        }
                        // A letter that stands across two records: each half of it is one such mark.
                        if text.contains("\u{FFFD}\u{FFFD}") {
                            out.push_str(text);
                            return Kind::Undecodable;
                        }
                    }
                    write_owned(out, value, scan.and_then(|scan| scan.format(row, column)))
                };
                if from_range(&range, &mut rows, &[], write)?.is_break() {
                    return Ok(());
                }
            }
            BookKind::Ods(book, scans) => {
                let range = guard(|| book.worksheet_range(sheet))?;
                let scan = scans.get(sheet);
                let write = |out: &mut String, place: (u32, u32), value: &Data| match scan
                    .and_then(|scan| scan.shown.get(&place))
                {
                    Some(ods::Shown::Error(text)) => write_error(out, text),
                    Some(ods::Shown::Number(text)) => {
                        out.push_str(text);
                        Kind::Number(value.as_f64().unwrap_or_default())
                    }
                    None => write_owned(out, value, None),
                };
                // Rows that repeat a formula come in the order of its columns.
                let mut no_result = scan.map_or(Vec::new(), |scan| scan.no_result.clone());
                no_result.sort_unstable();
                if from_range(&range, &mut rows, &no_result, write)?.is_break() {
                    return Ok(());
                }
            }
        }
        // Whether to stop does not matter at the end.
        let _ = rows.finish();
        Ok(())
    }
}

/// The code of a style's number format; empty where it shows values as they are.
fn code(style: &calamine::Style) -> Arc<str> {
    let format = style.number_format.as_ref();
    let code = format.map_or("", |format| format.format_code.as_str());
    Arc::from(if code == "General" { "" } else { code })
}

/// The part that says how cells look, where there is one.
fn styles(package: &mut Package, outline: &Outline) -> io::Result<Option<Vec<u8>>> {
    match &outline.styles {
        Some(path) => {
            let styles = package.whole(path)?;
            match styles.as_deref().is_some_and(has_too_many_formats) {
                true => Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "it has more formats of cells than any spreadsheet program writes",
                )),
                false => Ok(styles),
            }
        }
        None => Ok(None),
    }
}

/// Whether more formats are listed than a program can tell apart (65,490 in Excel), by far. A tiny
/// file can list millions, and each of them is made. Those of XLSB are counted as they are read.
fn has_too_many_formats(styles: &[u8]) -> bool {
    let more_than = |most: usize, name: &[u8]| {
        memchr::memmem::find_iter(styles, name)
            .take(most + 1)
            .count()
            > most
    };
    let is_xml = styles.first() != Some(&0x96);
    is_xml && (more_than(1 << 19, b"xf") || more_than(1_500_000, b"<"))
}

fn names(outline: &Outline) -> Vec<SheetName> {
    let sheets = outline.sheets.iter();
    sheets
        .map(|sheet| SheetName {
            name: sheet.name.clone(),
            visible: sheet.visible,
        })
        .collect()
}

fn merged(areas: Vec<calamine::Dimensions>) -> Vec<Area> {
    areas
        .into_iter()
        .map(|area| Area {
            rows: (u64::from(area.start.0) + 1, u64::from(area.end.0) + 1),
            columns: (area.start.1 as usize, area.end.1 as usize),
        })
        .collect()
}

fn worksheets(sheets: &[calamine::Sheet]) -> Vec<SheetName> {
    sheets
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet)
        .map(|sheet| SheetName {
            name: sheet.name.clone(),
            visible: sheet.visible == SheetVisible::Visible,
        })
        .collect()
}

/// Hands on the cells of a range, and in their places formulas without a result, which it has not.
fn from_range(
    range: &calamine::Range<Data>,
    rows: &mut Rows<'_, '_>,
    no_result: &[(u32, u32)],
    write: impl Fn(&mut String, (u32, u32), &Data) -> Kind,
) -> io::Result<ControlFlow<()>> {
    let (first_row, first_column) = range.start().unwrap_or_default();
    let used = range.used_cells().map(|(row, column, value)| {
        let place = (first_row + row as u32, first_column + column as u32);
        (place, Some(value))
    });
    let (mut used, mut missing) = (used.peekable(), no_result.iter().peekable());
    loop {
        let from_used = match (used.peek(), missing.peek()) {
            (None, None) => return Ok(ControlFlow::Continue(())),
            (Some((place, _)), Some(other)) => place < other,
            (at, _) => at.is_some(),
        };
        let next = match from_used {
            true => used.next(),
            false => missing.next().map(|place| (*place, None)),
        };
        let Some((place, value)) = next else {
            return Ok(ControlFlow::Continue(()));
        };
        let write = |out: &mut String| {
            Ok(match value {
                Some(value) => write(out, place, value),
                None => write_error(out, NO_RESULT),
            })
        };
        if rows.cell(place, write)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
}
