//! Writes the files under `samples/` and the two look-up tables of `mappings/` that belong to them:
//! the same bytes at each run. With `--check` nothing is written, and the exit code is 1 where a
//! file differs from what would be written.
//!
//! All people and companies are invented; addresses of mail and web are in the domains that RFC 2606
//! keeps free; phone numbers are from the ranges for fiction where a country has one, else made from
//! libphonenumber's example number, and each is valid by libphonenumber.

use std::collections::HashSet;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use fastrand::Rng;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region};
use unicode_normalization::UnicodeNormalization;

use people::{LANDS, Land, TRADES, WORDS};

mod messy;
mod people;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The columns of both customer samples.
const COLUMNS: [&str; 20] = [
    "Customer Id",
    "First Name",
    "Last Name",
    "Nickname",
    "Company",
    "Email",
    "Phone",
    "Country",
    "Street",
    "City",
    "Postal Code",
    "Date of Birth",
    "Gender",
    "Type",
    "Services",
    "Newsletter",
    "Notes",
    "Signup Date",
    "Next Contact",
    "Credit Limit",
];

const CUSTOMERS: usize = 312;

/// One customer, the cells in the order of [`COLUMNS`].
type Customer = [String; COLUMNS.len()];

/// An invented company.
struct Company {
    name: String,
    site: String,
    land: &'static Land,
    employees: u32,
}

fn main() -> ExitCode {
    match run(std::env::args().nth(1).as_deref()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("the samples could not be made: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Makes all files; whether they are (now) as they should be.
fn run(argument: Option<&str>) -> Result<bool> {
    let check = match argument {
        None => false,
        Some("--check") => true,
        Some(other) => return Err(format!("`{other}` is not known; only `--check` is").into()),
    };
    let mut rng = Rng::with_seed(0x0f_e7_71);
    let companies = companies(&mut rng);
    let customers = customers(&mut rng, &companies)?;
    let files = [
        ("samples/customers.csv", customers_csv(&customers)?),
        ("samples/companies.csv", companies_csv(&companies)?),
        ("samples/customers-messy.xlsx", messy::workbook(&customers)?),
        (
            "mappings/company-ids.csv",
            company_ids(&mut rng, &companies)?,
        ),
        ("mappings/country-ids.csv", country_ids()?),
    ];
    let mut same = true;
    for (name, bytes) in files {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        if check {
            if std::fs::read(&path).ok().as_deref() != Some(&bytes[..]) {
                say(&format!(
                    "{name} is not what this program writes; run it without --check"
                ));
                same = false;
            }
        } else {
            std::fs::write(&path, bytes)?;
        }
    }
    Ok(same)
}

#[allow(clippy::print_stderr)] // an example's own voice
fn say(text: &str) {
    eprintln!("{text}");
}

/// Three companies a country.
fn companies(rng: &mut Rng) -> Vec<Company> {
    let mut companies = Vec::new();
    for (index, land) in LANDS.iter().enumerate() {
        for turn in 0..3 {
            let word = WORDS[(index + turn * 9) % WORDS.len()];
            let trade = TRADES[(index * 3 + turn * 5) % TRADES.len()];
            // a comma in the name, as many a legal name has one
            let comma = if turn == 1 { "," } else { "" };
            companies.push(Company {
                name: format!("{word} {trade}{comma} {}", land.legal),
                site: format!("{}-{}.example", word.to_lowercase(), trade.to_lowercase()),
                land,
                employees: rng.u32(3..900),
            });
        }
    }
    companies
}

fn customers(rng: &mut Rng, companies: &[Company]) -> Result<Vec<Customer>> {
    let mut phones = Phones::default();
    let mut emails = HashSet::new();
    let mut customers = Vec::with_capacity(CUSTOMERS);
    for number in 0..CUSTOMERS {
        // every country comes, the first ones more often
        let land = if number % 2 == 0 {
            &LANDS[(number / 2) % LANDS.len()]
        } else {
            &LANDS[rng.usize(0..LANDS.len()).min(rng.usize(0..LANDS.len()))]
        };
        let gender = ["F", "M", "F", "M", "F", "M", "F", "M", "X", ""][rng.usize(0..10)];
        let given = match gender {
            "F" => pick(rng, land.women),
            "M" => pick(rng, land.men),
            _ if rng.bool() => pick(rng, land.women),
            _ => pick(rng, land.men),
        };
        let family = pick(rng, land.families);
        let own: Vec<&Company> = companies
            .iter()
            .filter(|c| c.land.code == land.code)
            .collect();
        let company = (rng.u32(0..10) < 6).then(|| own[rng.usize(0..own.len())]);
        let business = company.is_some() && rng.u32(0..10) < 4;
        let (city, postal) = land.places[rng.usize(0..land.places.len())];
        let street = pick(rng, land.streets).replace('#', &rng.u32(1..180).to_string());
        let email = email(rng, number, given, family, company, &mut emails);
        customers.push([
            format!("{:07}", 10_042 + number * 17),
            given.to_owned(),
            family.to_owned(),
            nickname(rng, number),
            company.map(|c| c.name.clone()).unwrap_or_default(),
            email,
            phones.next(rng, land)?,
            country(rng, land),
            street,
            city.to_owned(),
            postal.to_owned(),
            if business {
                String::new()
            } else {
                birthday(rng)
            },
            if business {
                String::new()
            } else {
                gender.to_owned()
            },
            if business { "Business" } else { "Person" }.to_owned(),
            services(rng),
            if rng.u32(0..3) > 0 { "yes" } else { "no" }.to_owned(),
            notes(rng, number),
            format!(
                "20{:02}-{:02}-{:02} {:02}:{:02}:{:02}",
                rng.u32(19..26),
                rng.u32(1..13),
                rng.u32(1..29),
                rng.u32(0..24),
                rng.u32(0..60),
                rng.u32(0..60)
            ),
            if rng.u32(0..4) == 0 {
                format!("2027-{:02}-{:02}", rng.u32(1..13), rng.u32(1..29))
            } else {
                String::new()
            },
            format!(
                "{}.{:02}",
                rng.u32(1..200) * 50,
                [0, 0, 0, 50, 25][rng.usize(0..5)]
            ),
        ]);
    }
    Ok(customers)
}

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.usize(0..from.len())]
}

/// The country as people write it: mostly its name, sometimes a code. The five countries whose
/// addresses Assembly takes in parts always have their names, so that a mapping may tell them.
fn country(rng: &mut Rng, land: &Land) -> String {
    let parts = matches!(land.code, "US" | "CA" | "AU" | "GB" | "NZ");
    if !parts && rng.u32(0..9) == 0 {
        return land.code.to_owned();
    }
    land.name.to_owned()
}

fn nickname(rng: &mut Rng, number: usize) -> String {
    if number % 9 != 4 {
        return String::new();
    }
    pick(
        rng,
        &["Bix", "Dodo", "Juju", "Lolo", "Momo", "Pip", "Tilly", "Zaz"],
    )
    .to_owned()
}

fn birthday(rng: &mut Rng) -> String {
    if rng.u32(0..12) == 0 {
        return String::new();
    }
    format!(
        "{}-{:02}-{:02}",
        rng.u32(1938..2007),
        rng.u32(1..13),
        rng.u32(1..29)
    )
}

fn services(rng: &mut Rng) -> String {
    const ALL: [&str; 4] = ["File sharing", "Metrics", "Messaging", "Billing"];
    let wanted = rng.u32(0..16);
    let chosen: Vec<&str> = (0..4)
        .filter(|i| wanted & (1 << i) != 0)
        .map(|i| ALL[i])
        .collect();
    chosen.join("; ")
}

fn notes(rng: &mut Rng, number: usize) -> String {
    match number {
        11 => "Call before delivery.\nThe bell is broken, please knock.\nDog: friendly.".to_owned(),
        57 => "Says \"no e-mails on Sundays\", please.".to_owned(),
        103 => "Contract 2021/07, renewed\r\nContract 2024/07, open".to_owned(),
        _ if number.is_multiple_of(5) => pick(
            rng,
            &[
                "Met at the fair, wants a catalogue",
                "Pays by invoice; 30 days",
                "Prefers calls in the morning, never before 9:00",
                "Ask for the accounts department – extension unknown",
                "Discount: 5 %",
            ],
        )
        .to_owned(),
        _ => String::new(),
    }
}

/// An address that nobody else has, in a domain that is kept free.
fn email(
    rng: &mut Rng,
    number: usize,
    given: &str,
    family: &str,
    company: Option<&Company>,
    taken: &mut HashSet<String>,
) -> String {
    let domain = match company {
        Some(company) => company.site.clone(),
        None => pick(
            rng,
            &[
                "example.com",
                "example.org",
                "example.net",
                "mail.example.com",
            ],
        )
        .to_owned(),
    };
    let (given, family) = (ascii(given), ascii(family));
    let local = match (given.is_empty(), family.is_empty()) {
        (true, _) | (_, true) => format!("contact{}", 100 + number),
        _ if rng.u32(0..4) == 0 => format!("{}.{family}", &given[..1]),
        _ => format!("{given}.{family}"),
    };
    let mut address = format!("{local}@{domain}");
    while !taken.insert(address.clone()) {
        address = format!("{local}+{number}@{domain}");
    }
    address
}

/// Latin letters without their marks, in lower case; nothing else.
fn ascii(text: &str) -> String {
    let mut plain = String::new();
    for c in text.nfkd() {
        match c.to_lowercase().next().unwrap_or(c) {
            'ß' => plain.push_str("ss"),
            'ø' => plain.push('o'),
            'ł' => plain.push('l'),
            'æ' => plain.push_str("ae"),
            lower if lower.is_ascii_alphabetic() => plain.push(lower),
            _ => {}
        }
    }
    plain
}

/// Phone numbers, none twice.
#[derive(Default)]
struct Phones {
    taken: HashSet<String>,
}

impl Phones {
    fn next(&mut self, rng: &mut Rng, land: &Land) -> Result<String> {
        let pattern = match land.fiction {
            Some(pattern) => pattern.to_owned(),
            None => {
                let mut example = example(land.region)?;
                example.truncate(example.len() - 3);
                example + "xxx"
            }
        };
        for _ in 0..10_000 {
            let digits: String = pattern
                .chars()
                .map(|c| if c == 'x' { rng.digit(10) } else { c })
                .collect();
            let number = PHONE_NUMBER_UTIL
                .parse(&digits, None)
                .map_err(|error| format!("{digits}: {error:?}"))?;
            if number.is_valid() && self.taken.insert(digits.clone()) {
                return Ok(written(rng, &number, land, digits));
            }
        }
        Err(format!("there are not enough phone numbers like {pattern}").into())
    }
}

fn example(region: Region) -> Result<String> {
    let number = PHONE_NUMBER_UTIL
        .get_example_number_for_type_and_region(region, PhoneNumberType::Mobile)
        .map_err(|error| format!("{region:?} has no example number: {error:?}"))?;
    Ok(number.format_as(PhoneNumberFormat::E164).into_owned())
}

/// The number as people write it: mostly international, sometimes national or without spaces; always
/// so that it is read as the same number with its country in mind.
fn written(rng: &mut Rng, number: &PhoneNumber, land: &Land, digits: String) -> String {
    let text = match rng.u32(0..10) {
        0..=1 => number.format_as(PhoneNumberFormat::National).into_owned(),
        2 => digits.clone(),
        3 => digits.replacen('+', "00", 1),
        _ => number
            .format_as(PhoneNumberFormat::International)
            .into_owned(),
    };
    match PHONE_NUMBER_UTIL.parse(&text, Some(land.region)) {
        Ok(read) if read.format_as(PhoneNumberFormat::E164) == digits => text,
        _ => digits,
    }
}

fn csv(rows: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(&row)?;
    }
    Ok(writer.into_inner()?)
}

fn texts(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|&cell| cell.to_owned()).collect()
}

fn customers_csv(customers: &[Customer]) -> Result<Vec<u8>> {
    let rows = customers.iter().map(|customer| customer.to_vec());
    csv(std::iter::once(texts(&COLUMNS)).chain(rows))
}

fn companies_csv(companies: &[Company]) -> Result<Vec<u8>> {
    let rows = companies.iter().map(|company| {
        vec![
            company.name.clone(),
            format!("https://www.{}", company.site),
            company.land.name.to_owned(),
            company.employees.to_string(),
        ]
    });
    csv(std::iter::once(texts(&["Company", "Website", "Country", "Employees"])).chain(rows))
}

/// Invented ids, so that the sample of clients can be tried without importing companies first.
fn company_ids(rng: &mut Rng, companies: &[Company]) -> Result<Vec<u8>> {
    let rows = companies.iter().map(|company| {
        let id = uuid::Builder::from_random_bytes(rng.u128(..).to_be_bytes()).into_uuid();
        vec![company.name.clone(), id.to_string()]
    });
    csv(std::iter::once(texts(&["company", "id"])).chain(rows))
}

/// Invented ids, as an account might have them.
fn country_ids() -> Result<Vec<u8>> {
    let rows = LANDS
        .iter()
        .enumerate()
        .map(|(index, land)| texts(&[land.code, &(index + 11).to_string()]));
    csv(std::iter::once(texts(&["country", "id"])).chain(rows))
}
