//! Which order of day, month and year the columns of a file prove, where nobody says it.

use super::Plan;
use super::rule::{RulePlan, Take, split_parts};
use crate::field::clean::clean;
use crate::field::{DateOrder, Orders, orders, trim};
use crate::row::{Kind, RowBatch};

/// What has been seen of the columns whose dates lack an order.
#[derive(Debug)]
pub struct DateOrders {
    rules: Vec<Seen>,
}

/// One rule that reads dates.
#[derive(Debug)]
struct Seen {
    field: usize,
    rule: usize,
    columns: Vec<usize>,
    orders: Orders,
    /// Dates of digits, and how many of them allow one order only.
    dates: u64,
    telling: u64,
    /// Workbook date cells, and how many of them have a day that can be no month.
    cells: u64,
    late: u64,
    /// Row and column of the first date that tells, and of the first of the workbook's cells.
    first: Option<(u64, usize)>,
    first_cell: Option<(u64, usize)>,
}

/// What a column was found to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFinding {
    /// The column's index.
    pub column: usize,
    /// Where the first of the cells that tell stands: row and column.
    pub first: (u64, usize),
    /// What was found.
    pub what: DateFound,
}

/// What there is to say of a column's dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateFound {
    /// Only one order suits every date, so that it is used.
    Order {
        /// The order.
        order: DateOrder,
        /// Dates of digits.
        dates: u64,
        /// Those of them that allow no other order.
        telling: u64,
    },
    /// Dates of digits suit no one order; the ambiguous ones are refused.
    Contradiction {
        /// Dates of digits.
        dates: u64,
    },
    /// Every date cell of the workbook has a day that could be a month, and the texts beside them
    /// do not: a spreadsheet program has likely read those cells by another order.
    Converted {
        /// Date cells.
        cells: u64,
        /// Texts that allow one order only.
        telling: u64,
    },
}

impl Plan {
    /// What has to be looked at in the whole file before its rows are mapped; `None` where the
    /// mapping leaves no order open.
    pub fn date_orders(&self) -> Option<DateOrders> {
        let mut rules = Vec::new();
        for (field, plan) in self.fields.iter().enumerate() {
            for (rule, plan) in plan.rules.iter().enumerate() {
                let columns = match &plan.take {
                    Take::Column(column) => vec![*column],
                    Take::First(columns) => columns.clone(),
                    _ => continue,
                };
                if plan.reader.lacks_order() {
                    rules.push(Seen {
                        field,
                        rule,
                        columns,
                        orders: Orders::ANY,
                        dates: 0,
                        telling: 0,
                        cells: 0,
                        late: 0,
                        first: None,
                        first_cell: None,
                    });
                }
            }
        }
        (!rules.is_empty()).then_some(DateOrders { rules })
    }

    /// Looks at the rows of a batch.
    pub fn look_at_dates(&self, seen: &mut DateOrders, batch: &RowBatch) {
        for seen in &mut seen.rules {
            let Some(plan) = self
                .fields
                .get(seen.field)
                .and_then(|f| f.rules.get(seen.rule))
            else {
                continue;
            };
            for index in 0..batch.len() {
                let row = batch.row(index);
                if row.fault().is_some() {
                    continue;
                }
                for at in 0..seen.columns.len() {
                    let column = seen.columns[at];
                    let cell = row.cell(column);
                    let place = (row.number(), column);
                    match cell.kind {
                        Kind::Text => seen.text(plan, trim(cell.text), place),
                        Kind::Date(date) => seen.cell(date.day(), place),
                        Kind::DateTime(there) => seen.cell(there.day(), place),
                        _ => {}
                    }
                }
            }
        }
    }

    /// Applies what was found, and says it.
    pub fn settle_dates(&mut self, seen: DateOrders) -> Vec<DateFinding> {
        let mut found: Vec<DateFinding> = Vec::new();
        for seen in seen.rules {
            let order = seen.orders.only();
            let rule = self
                .fields
                .get_mut(seen.field)
                .and_then(|f| f.rules.get_mut(seen.rule));
            if let (Some(order), Some(rule)) = (order, rule) {
                rule.reader.set_order(order);
            }
            let Some(first) = seen.first else { continue };
            let (dates, telling) = (seen.dates, seen.telling);
            let mut tell = |first: (u64, usize), what| {
                let finding = DateFinding {
                    column: first.1,
                    first,
                    what,
                };
                if !found.contains(&finding) {
                    found.push(finding);
                }
            };
            match order {
                Some(order) => tell(
                    first,
                    DateFound::Order {
                        order,
                        dates,
                        telling,
                    },
                ),
                None if seen.orders == NONE => tell(first, DateFound::Contradiction { dates }),
                None => {}
            }
            // Of three dates all fall before the 13th once in seventeen times by chance.
            if let (Some(first), 0, 3..) = (seen.first_cell, seen.late, seen.cells) {
                tell(
                    first,
                    DateFound::Converted {
                        cells: seen.cells,
                        telling,
                    },
                );
            }
        }
        found
    }
}

const NONE: Orders = Orders {
    dmy: false,
    mdy: false,
    ymd: false,
};

impl Seen {
    fn text(&mut self, rule: &RulePlan, text: &str, place: (u64, usize)) {
        // ISO 8601 needs no order; most dates are written so, or there is none.
        let iso = matches!(text.as_bytes(), [a, b, c, d, b'-', ..]
            if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()));
        if text.is_empty() || iso {
            return;
        }
        let cleaned = clean(&rule.clean, text.into(), &mut false);
        match &rule.split {
            None => self.date(&cleaned, place),
            Some(split) => {
                for part in split_parts(&cleaned, &split.separators) {
                    self.date(part, place);
                }
            }
        }
    }

    fn date(&mut self, text: &str, place: (u64, usize)) {
        let Some(allowed) = orders(text) else { return };
        self.dates += 1;
        self.orders = self.orders.and(allowed);
        if allowed.only().is_some() {
            self.telling += 1;
            self.first = self.first.or(Some(place));
        }
    }

    fn cell(&mut self, day: i8, place: (u64, usize)) {
        self.cells += 1;
        self.late += u64::from(day > 12);
        self.first_cell = self.first_cell.or(Some(place));
    }
}
