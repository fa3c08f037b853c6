//! Writes a workbook of customers of any size, in little memory, for measuring how it is read.
//!
//! ```sh
//! cargo run --release --example big_workbook -- big.xlsx 300000
//! ```
//!
//! It has the 18 columns of `benches/check-1m.toml`. Texts are shared, as spreadsheet programs write
//! them, so that whoever reads the file must keep them; every row adds ten that no other row has.

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, XlsxError};

const COLUMNS: [&str; 18] = [
    "Customer Id",
    "First Name",
    "Last Name",
    "Company",
    "Address",
    "City",
    "Postal Code",
    "Country",
    "Phone",
    "Email",
    "Date of Birth",
    "Gender",
    "Job",
    "Newsletter",
    "Tags",
    "Notes",
    "Signup Date",
    "Credit Limit",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("name the file to write")?;
    let rows = match arguments.next() {
        Some(rows) => rows.parse()?,
        None => 300_000,
    };
    write(&path, rows)?;
    Ok(())
}

fn write(path: &str, rows: u32) -> Result<(), XlsxError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet_with_low_memory()?;
    for (column, name) in COLUMNS.iter().enumerate() {
        sheet.write_string(0, column as u16, *name)?;
    }
    let date = Format::new().set_num_format("yyyy-mm-dd");
    let countries = [("DE", "+49 30 1"), ("CH", "+41 44 2"), ("FR", "+33 1 4")];
    for row in 1..=rows {
        let (country, phone) = countries[row as usize % 3];
        let texts = [
            format!("C-{row:07}"),
            format!("Anna{}", row % 977),
            format!("Müller{row}"),
            format!("Company {row} GmbH"),
            format!("Long Street {row}"),
            format!("Town {}", row % 4999),
            format!("{:05}", row % 100_000),
            country.to_owned(),
            format!("{phone}{:07}", row % 9_999_999),
            format!("anna.mueller{row}@example.com"),
        ];
        for (column, text) in texts.iter().enumerate() {
            sheet.write_string(row, column as u16, text)?;
        }
        let day = |first: u16, days: u32| {
            ExcelDateTime::from_ymd(first + (days % 40) as u16, 1 + (days % 12) as u8, 1)
        };
        sheet.write_datetime_with_format(row, 10, day(1950, row)?, &date)?;
        sheet.write_string(row, 11, ["F", "M", "X"][row as usize % 3])?;
        sheet.write_string(row, 12, format!("Job {}", row % 499))?;
        sheet.write_boolean(row, 13, row % 2 == 0)?;
        sheet.write_string(row, 14, ["vip;b2b", "trial", "gold"][row as usize % 3])?;
        sheet.write_string(row, 15, format!("Called on day {row}, wants an offer"))?;
        sheet.write_datetime_with_format(row, 16, day(1985, row)?, &date)?;
        sheet.write_number(row, 17, f64::from(row) / 4.0)?;
    }
    workbook.save(path)
}
