//! What an XLSX or XLSB file says of its sheets, tables and names.

use std::io::{self, Read};

use super::package::Package;
use super::sheet_bin;
use super::xml::{self, Token, Xml};
use crate::area::Area;

/// The sheets of a workbook and the parts that belong to all of them.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) sheets: Vec<SheetPart>,
    /// Whether day 0 is 1904-01-01.
    pub(super) mac: bool,
    /// Paths of the shared texts and of the styles.
    pub(super) texts: Option<String>,
    pub(super) styles: Option<String>,
    /// Names that the workbook gives to cells, and what they stand for: `Sheet1!$A$1:$D$9`.
    names: Vec<(String, String)>,
}

/// A worksheet.
#[derive(Debug)]
pub(super) struct SheetPart {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) visible: bool,
}

/// Cells with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) sheet: String,
    /// The rows of the header included, the totals not.
    pub(super) area: Area,
    /// The columns' names where no row of the area holds them.
    pub(super) columns: Option<Vec<String>>,
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

impl Outline {
    /// Reads that of an XLSX file (ECMA-376 part 1, 18.2), in the strict form as well.
    pub(super) fn of_xlsx(package: &mut Package) -> io::Result<Self> {
        let path = package.workbook()?;
        let bytes = package
            .whole(&path)?
            .ok_or_else(|| malformed("its list of sheets is missing"))?;
        let (mut outline, relations) = Self::related(package, &path)?;
        let mut xml = Xml::new(&bytes[..]);
        let mut name: Option<String> = None;
        while let Some(token) = xml.next()? {
            match token {
                Token::Open(tag) => match tag.name {
                    // An extension has an element of this name and without this attribute.
                    b"workbookPr" => outline.mac |= tag.is_set(b"date1904"),
                    b"sheet" => {
                        let relation = tag.text(b"id").unwrap_or_default();
                        let found = relations.iter().find(|(id, ..)| *id == relation);
                        if let (Some(name), Some((_, kind, path))) = (tag.text(b"name"), found)
                            && kind == "worksheet"
                        {
                            outline.sheets.push(SheetPart {
                                name,
                                path: path.clone(),
                                visible: matches!(tag.get(b"state"), None | Some(b"visible")),
                            });
                        }
                    }
                    b"definedName" => name = tag.text(b"name").filter(|_| !tag.empty),
                    _ => {}
                },
                Token::Text(bytes) => {
                    if let Some(name) = name.take() {
                        let mut refers = String::new();
                        xml::decode(bytes, &mut refers);
                        outline.names.push((name, refers));
                    }
                }
                Token::Close(_) => name = None,
                Token::Literal(_) => {}
            }
        }
        Ok(outline)
    }

    /// Reads that of an XLSB file.
    pub(super) fn of_xlsb(package: &mut Package) -> io::Result<Self> {
        let path = "xl/workbook.bin";
        let part = package
            .part(path)?
            .ok_or_else(|| malformed("its list of sheets is missing"))?;
        let (mac, sheets) = sheet_bin::read_workbook(part)?;
        let (mut outline, relations) = Self::related(package, path)?;
        outline.mac = mac;
        for (state, relation, name) in sheets {
            if let Some((_, kind, path)) = relations.iter().find(|(id, ..)| *id == relation)
                && kind == "worksheet"
            {
                outline.sheets.push(SheetPart {
                    name,
                    path: path.clone(),
                    visible: state == 0,
                });
            }
        }
        Ok(outline)
    }

    #[allow(clippy::type_complexity)] // Id, kind and path of each relation.
    fn related(
        package: &mut Package,
        path: &str,
    ) -> io::Result<(Self, Vec<(String, String, String)>)> {
        let mut outline = Self::default();
        let relations = package.relations(path)?;
        for relation in &relations {
            match relation.kind.as_str() {
                "sharedStrings" => outline.texts = Some(relation.target.clone()),
                "styles" => outline.styles = Some(relation.target.clone()),
                _ => {}
            }
        }
        // Some writers leave out the relation, and all programs find the part.
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let extension = if path.ends_with(".bin") { "bin" } else { "xml" };
        for (part, name) in [
            (&mut outline.texts, "sharedStrings"),
            (&mut outline.styles, "styles"),
        ] {
            let usual = format!("{folder}/{name}.{extension}");
            if part.as_ref().is_none_or(|part| !package.has(part)) {
                *part = package.has(&usual).then_some(usual);
            }
        }
        let relations = relations
            .into_iter()
            .map(|relation| (relation.id, relation.kind, relation.target))
            .collect();
        Ok((outline, relations))
    }

    /// The tables (ECMA-376 part 1, 18.5) and the named cells of all sheets.
    pub(super) fn named(&self, package: &mut Package) -> io::Result<Vec<Named>> {
        let mut named = Vec::new();
        for sheet in &self.sheets {
            for relation in package.relations(&sheet.path)? {
                if relation.kind == "table"
                    && let Some(part) = package.part(&relation.target)?
                {
                    named.extend(table(part, &sheet.name)?);
                }
            }
        }
        for (name, refers) in &self.names {
            let Some((sheet, area)) = refers.rsplit_once('!') else {
                continue;
            };
            let sheet = match sheet.strip_prefix('\'').and_then(|s| s.strip_suffix('\'')) {
                Some(quoted) => quoted.replace("''", "'"),
                None => sheet.to_owned(),
            };
            // Names such as `_xlnm.Print_Area` are the program's own.
            if let Some(area) = Area::parse(area)
                && !name.starts_with("_xlnm.")
                && self.sheets.iter().any(|known| known.name == sheet)
            {
                named.push(Named {
                    name: name.clone(),
                    sheet,
                    area,
                    columns: None,
                });
            }
        }
        Ok(named)
    }
}

fn table(part: impl Read, sheet: &str) -> io::Result<Option<Named>> {
    let mut xml = Xml::new(part);
    let mut found: Option<Named> = None;
    let mut columns = Vec::new();
    let mut header = true;
    while let Some(token) = xml.next()? {
        let Token::Open(tag) = token else { continue };
        if tag.name == b"table" && found.is_none() {
            let (Some(name), Some(mut area)) = (
                tag.text(b"displayName").or_else(|| tag.text(b"name")),
                tag.text(b"ref").as_deref().and_then(Area::parse),
            ) else {
                return Ok(None);
            };
            header = tag.get(b"headerRowCount") != Some(b"0");
            let totals = tag
                .text(b"totalsRowCount")
                .and_then(|text| text.parse().ok());
            area.rows.1 = area
                .rows
                .1
                .saturating_sub(totals.unwrap_or(0))
                .max(area.rows.0);
            found = Some(Named {
                name,
                sheet: sheet.to_owned(),
                area,
                columns: None,
            });
        } else if tag.name == b"tableColumn" {
            columns.push(super::texts::unescape(
                &tag.text(b"name").unwrap_or_default(),
            ));
        }
    }
    Ok(found.map(|named| Named {
        columns: (!header).then_some(columns),
        ..named
    }))
}

/// Parts of the archive put before `calamine` in place of the user's (see [`super::stage`]): one
/// sheet.
pub(super) mod stand_in {
    /// The place of the sheet in an XLSX archive.
    pub(crate) const SHEET_XML: &str = "xl/worksheets/sheet1.xml";
    /// The place of the sheet in an XLSB archive.
    pub(crate) const SHEET_BIN: &str = "xl/worksheets/sheet1.bin";
    /// The sheet's name.
    pub(crate) const NAME: &str = "s";

    /// What hangs together with what, in an archive whose list of sheets is this part.
    pub(crate) fn relations(target: &str, kind: &str) -> Vec<u8> {
        format!(
            "<Relationships><Relationship Id=\"r\" Type=\"x/relationships/{kind}\" Target=\"{target}\"/></Relationships>"
        )
        .into_bytes()
    }

    /// The list of sheets of an XLSX archive.
    pub(crate) fn workbook_xml(mac: bool) -> Vec<u8> {
        format!(
            "<workbook><workbookPr date1904=\"{}\"/><sheets><sheet name=\"{NAME}\" r:id=\"r\"/></sheets></workbook>",
            u8::from(mac)
        )
        .into_bytes()
    }

    /// The list of sheets of an XLSB archive: BrtWbProp, BrtBundleSh, BrtEndBundleShs, and the
    /// BrtCalcProp at which reading ends ([MS-XLSB] 2.4.822, 2.4.304, 2.4.308).
    pub(crate) fn workbook_bin(mac: bool) -> Vec<u8> {
        let mut out = vec![0x99, 0x01, 8, u8::from(mac), 0, 0, 0, 0, 0, 0, 0];
        out.extend_from_slice(&[0x9C, 0x01, 20, 0, 0, 0, 0, 1, 0, 0, 0]);
        out.extend_from_slice(&[1, 0, 0, 0, b'r', 0, 1, 0, 0, 0, b's', 0]);
        out.extend_from_slice(&[0x90, 0x01, 0, 0x9D, 0x01, 0]);
        out
    }
}
