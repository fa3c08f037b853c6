//! The workbook with a bad value of each kind.

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, Formula, Workbook, Worksheet, XlsxError,
};

use crate::{COLUMNS, Customer};

/// What is put in place of one cell.
enum Cell {
    /// Text.
    Text(&'static str),
    /// A number.
    Number(f64),
    /// TRUE or FALSE.
    Boolean(bool),
    /// A date cell.
    Date(u16, u8, u8),
    /// A date cell with a time.
    DateTime(u16, u8, u8, u16, u8),
    /// A formula whose value is an error.
    Error,
}

/// Row of the sheet (the header is row 1), column, what stands there.
#[rustfmt::skip]
const CHANGES: &[(u32, &str, Cell)] = &[
    (3,  "Email", Cell::Text("bob@")),
    (4,  "Email", Cell::Text("anna.example.com")),
    (5,  "Phone", Cell::Text("12345")),
    (6,  "Phone", Cell::Text("call the office")),
    (7,  "Date of Birth", Cell::Text("03/04/1985")),
    (8,  "Date of Birth", Cell::Text("31.02.1990")),
    (9,  "Country", Cell::Text("Atlantis")),
    (10, "Country", Cell::Text("Korea")),
    (11, "Type", Cell::Text("Alien")),
    (12, "Gender", Cell::Text("unknown")),
    (13, "Services", Cell::Text("Metrics; Teleport")),
    (14, "First Name", Cell::Text("")),
    (14, "Last Name", Cell::Text("  ")),
    (14, "Company", Cell::Text("")),
    (15, "Last Name", Cell::Text(LONG)),
    (15, "Company", Cell::Text("")),
    (16, "Customer Id", Cell::Text("0010042")),
    (17, "Customer Id", Cell::Text("")),
    (18, "Company", Cell::Error),
    (18, "Credit Limit", Cell::Error),
    (19, "Newsletter", Cell::Text("perhaps")),
    (20, "Credit Limit", Cell::Text("a lot")),
    (21, "Credit Limit", Cell::Text("1.500,00")),
    (22, "Postal Code", Cell::Number(1067.0)),
    (23, "Customer Id", Cell::Number(10_433.0)),
    (24, "Customer Id", Cell::Number(12_345_678_901_234_567_890.0)),
    (25, "First Name", Cell::Boolean(true)),
    (26, "Signup Date", Cell::DateTime(2024, 5, 18, 13, 38)),
    (27, "Next Contact", Cell::Date(2027, 3, 7)),
    (28, "Signup Date", Cell::Text("yesterday")),
    (29, "Email", Cell::Text("")),
    (29, "Phone", Cell::Text("")),
    (30, "Notes", Cell::Text("=HYPERLINK(\"https://example.com\",\"a text that looks like a formula\")")),
    (31, "First Name", Cell::Text("\u{a0}Ma\u{200b}rta \u{a0}")),
    (32, "Email", Cell::Text("MAILTO@EXAMPLE.COM ")),
    (33, "Company", Cell::Text("No Such Company, Ltd")),
    (34, "Phone", Cell::Number(491_701_234_567.0)),
    (35, "Date of Birth", Cell::Date(2199, 1, 1)),
];

/// 261 characters, more than the 255 that most systems take.
const LONG: &str = "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenhaftschaferswessenschafewarenwohlgepflegeundsorgfaltigkeitbeschutzenvonangreifendurchihrraubgierigfeindewelchevoralternzwolftausendjahresvorandieerscheinenvanderersteerdemenschderraumschiffgebrauchlich";

/// How many rows of customers the workbook has.
const ROWS: usize = 40;

/// The bytes of the workbook: the first customers, with [`CHANGES`] in their cells.
pub(crate) fn workbook(customers: &[Customer]) -> crate::Result<Vec<u8>> {
    let mut workbook = Workbook::new();
    let made = ExcelDateTime::from_ymd(2026, 1, 2)?;
    workbook.set_properties(
        &DocProperties::new()
            .set_author("The rowferry authors")
            .set_creation_datetime(&made),
    );
    let bold = Format::new().set_bold();
    let sheet = workbook.add_worksheet().set_name("Customers")?;
    for (column, name) in (0u16..).zip(COLUMNS) {
        sheet.write_with_format(0, column, name, &bold)?;
        sheet.set_column_width(column, 16)?;
    }
    for (row, customer) in (1u32..).zip(customers.iter().take(ROWS)) {
        for (column, text) in (0u16..).zip(customer) {
            as_people_do(sheet, row, column, text)?;
        }
    }
    // the same customer once more, word for word: not a mistake
    let again = ROWS as u32 + 1;
    for (column, text) in (0u16..).zip(&customers[0]) {
        as_people_do(sheet, again, column, text)?;
    }
    for (row, name, cell) in CHANGES {
        let at = COLUMNS.iter().position(|column| column == name);
        let column = at.ok_or_else(|| format!("there is no column {name}"))? as u16;
        change(sheet, row - 1, column, cell)?;
    }
    // a row far below that holds nothing but a remark
    sheet.write(again + 3, 1, "end of list, do not import")?;
    Ok(workbook.save_to_buffer()?)
}

/// Writes a cell as a person's spreadsheet has it: dates as dates, amounts as numbers, yes and no as
/// booleans, and ids as text, so that their zeros stay.
fn as_people_do(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    text: &str,
) -> std::result::Result<(), XlsxError> {
    match COLUMNS[usize::from(column)] {
        _ if text.is_empty() => {}
        "Date of Birth" | "Next Contact" => {
            let date = ExcelDateTime::parse_from_str(text)?;
            sheet.write_with_format(
                row,
                column,
                &date,
                &Format::new().set_num_format("dd/mm/yyyy"),
            )?;
        }
        "Signup Date" => {
            let time = ExcelDateTime::parse_from_str(&text.replace(' ', "T"))?;
            let format = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss");
            sheet.write_with_format(row, column, &time, &format)?;
        }
        "Newsletter" => {
            sheet.write(row, column, text == "yes")?;
        }
        "Credit Limit" => {
            let amount: f64 = text.parse().unwrap_or_default();
            sheet.write_with_format(row, column, amount, &Format::new().set_num_format("0.00"))?;
        }
        _ => {
            sheet.write_string(row, column, text)?;
        }
    }
    Ok(())
}

fn change(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: &Cell,
) -> std::result::Result<(), XlsxError> {
    let day = Format::new().set_num_format("dd/mm/yyyy");
    match *cell {
        Cell::Text("") => sheet.write_blank(row, column, &Format::new())?,
        Cell::Text(text) => sheet.write_string(row, column, text)?,
        Cell::Number(number) => sheet.write_number(row, column, number)?,
        Cell::Boolean(boolean) => sheet.write_boolean(row, column, boolean)?,
        Cell::Date(y, m, d) => {
            sheet.write_with_format(row, column, &ExcelDateTime::from_ymd(y, m, d)?, &day)?
        }
        Cell::DateTime(y, m, d, hour, minute) => {
            let time = ExcelDateTime::from_ymd(y, m, d)?.and_hms(hour, minute, 0)?;
            let format = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss");
            sheet.write_with_format(row, column, &time, &format)?
        }
        Cell::Error => {
            sheet.write_formula(row, column, Formula::new("=NA()").set_result("#N/A"))?
        }
    };
    Ok(())
}
