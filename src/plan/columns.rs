//! Names of columns, as mapping files write them, found in the header of an input.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::field::{fold, trim};
use crate::issue::nearest;
use crate::row::{Header, column_index};
use crate::template::snake_name;

/// The columns of one input by every name that a mapping file may use.
#[derive(Debug)]
pub(super) struct Columns {
    names: Vec<Arc<str>>,
    first_column: usize,
    by_header: HashMap<String, Vec<usize>>,
    by_snake: HashMap<String, Vec<usize>>,
}

/// Why a name is no column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    /// What is wrong, as a sentence.
    pub(super) message: String,
    /// What to do, where something near is known.
    pub(super) help: Option<String>,
}

/// A column that was found by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// Its index.
    pub(super) index: usize,
    /// How many columns have that name; above 1 the first was taken.
    pub(super) alike: usize,
}

impl Columns {
    pub(super) fn new(header: &Header) -> Self {
        let mut by_header: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_snake: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, name) in header.names.iter().enumerate() {
            let folded = fold(name);
            if folded.is_empty() {
                continue;
            }
            by_header
                .entry(folded.into_owned())
                .or_default()
                .push(index);
            by_snake.entry(snake_name(name)).or_default().push(index);
        }
        Self {
            names: (0..header.names.len()).map(|at| header.name(at)).collect(),
            first_column: header.first_column,
            by_header,
            by_snake,
        }
    }

    /// The name of a column, or its letters where it has none.
    pub(super) fn name(&self, index: usize) -> Arc<str> {
        self.names.get(index).map_or_else(|| "".into(), Arc::clone)
    }

    /// The column with this header; `Email#2` is the second of that name, `@C` the one of that
    /// letter, where no header is just so.
    pub(super) fn find(&self, name: &str) -> Result<Found, Missing> {
        let folded = fold(name);
        if let Some(places) = self.by_header.get(folded.as_ref()) {
            // Of headers that differ in case alone, the one that is written just so is meant.
            let exact = |at: &&usize| trim(&self.names[**at]) == trim(name);
            let mut same = places.iter().filter(exact);
            if let (Some(&index), None) = (same.next(), same.next()) {
                return Ok(Found { index, alike: 1 });
            }
            return Ok(Found {
                index: places[0],
                alike: places.len(),
            });
        }
        if let Some((base, number)) = folded.rsplit_once('#')
            && let Ok(number) = number.trim().parse::<usize>()
            && let Some(places) = self.by_header.get(base.trim_end())
        {
            return match number.checked_sub(1).and_then(|at| places.get(at)) {
                Some(&index) => Ok(Found { index, alike: 1 }),
                None => Err(Missing {
                    message: format!(
                        "there is no column `{}`: that header stands {} in this file",
                        name.trim(),
                        times(places.len())
                    ),
                    help: None,
                }),
            };
        }
        if let Some(letters) = folded.strip_prefix('@')
            && let Some(at) = column_index(letters)
        {
            return match at.checked_sub(self.first_column) {
                Some(index) if index < self.names.len() => Ok(Found { index, alike: 1 }),
                _ => Err(Missing {
                    message: format!("there is no column {}", name.trim().to_uppercase()),
                    help: Some(format!(
                        "the columns of this file go from {} to {}",
                        crate::row::column_letters(self.first_column),
                        crate::row::column_letters(
                            self.first_column + self.names.len().saturating_sub(1)
                        )
                    )),
                }),
            };
        }
        Err(Missing {
            message: format!("this file has no column `{}`", name.trim()),
            help: self.nearest_help(name),
        })
    }

    fn nearest_help(&self, name: &str) -> Option<String> {
        match nearest(name, self.names.iter().map(AsRef::as_ref)) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if self.names.is_empty() => Some("the file has no columns".to_owned()),
            None => Some(format!("its columns are: {}", some_of(&self.names))),
        }
    }

    /// The column that templates call by this snake_case name.
    pub(super) fn find_snake(&self, name: &str) -> Result<usize, Missing> {
        match self.by_snake.get(name).map(Vec::as_slice) {
            Some([index]) => Ok(*index),
            Some(several) => {
                let headers: Vec<String> = several
                    .iter()
                    .map(|&at| format!("`row[\"{}\"]`", self.exactly(at)))
                    .collect();
                Err(Missing {
                    message: format!(
                        "{} columns of this file are called `{name}` here",
                        several.len()
                    ),
                    help: Some(format!("write {}", headers.join(" or "))),
                })
            }
            None => Err(Missing {
                message: format!("this file has no column that is called `{name}` here"),
                help: match nearest(name, self.by_snake.keys().map(String::as_str)) {
                    Some(near) => Some(format!("did you mean `{near}`?")),
                    None => Some(
                        "columns are called by their header in snake_case, `First Name` is \
                         `first_name`, or `row[\"First Name\"]`"
                            .to_owned(),
                    ),
                },
            }),
        }
    }

    /// A column's header, with its number where others before it have the same.
    fn exactly(&self, index: usize) -> String {
        let name = &self.names[index];
        let same = self.by_header.get(fold(name).as_ref());
        let place = same.and_then(|all| all.iter().position(|&at| at == index));
        match place {
            Some(place) if place > 0 => format!("{name}#{}", place + 1),
            _ => name.to_string(),
        }
    }

    /// The tables that templates use while rows are mapped.
    pub(super) fn into_names(self) -> Names {
        let snake = self
            .by_snake
            .iter()
            .filter(|(_, places)| places.len() == 1)
            .map(|(name, places)| (name.as_str().into(), places[0]))
            .collect();
        Names {
            snake,
            columns: self,
        }
    }

    /// The columns outside `used`, by name.
    pub(super) fn unused(&self, used: &HashSet<usize>) -> Vec<Arc<str>> {
        (0..self.names.len())
            .filter(|at| !used.contains(at))
            .map(|at| Arc::clone(&self.names[at]))
            .collect()
    }
}

/// The columns as templates and expressions see them.
#[derive(Debug)]
pub(super) struct Names {
    snake: HashMap<Box<str>, usize>,
    columns: Columns,
}

impl Names {
    /// The column of a snake_case name.
    pub(super) fn by_snake(&self, name: &str) -> Option<usize> {
        self.snake.get(name).copied()
    }

    /// The column of a header.
    pub(super) fn by_header(&self, name: &str) -> Option<usize> {
        self.columns.find(name).ok().map(|found| found.index)
    }
}

/// The first few of a list, for a message.
pub(super) fn some_of<S: AsRef<str>>(names: &[S]) -> String {
    const SHOWN: usize = 12;
    let mut shown = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{}`", name.as_ref()))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        shown.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    shown
}

fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &[&str], first_column: usize) -> Header {
        Header {
            names: names.iter().map(|&name| name.into()).collect(),
            first_column,
            row: 1,
        }
    }

    #[test]
    fn columns_are_found_by_every_name() {
        let columns = Columns::new(&header(
            &["Email", "First Name", "Email ", "", "A#2", "Fax", "FAX"],
            1,
        ));
        for (name, index, alike) in [
            (" EMAIL ", 0, 2),
            ("email#2", 2, 1),
            ("FAX", 6, 1),
            ("Fax", 5, 1),
            ("fax", 5, 2),
            ("Email#1", 0, 1),
            ("@B", 0, 1),
            ("@e", 3, 1),
            ("first name", 1, 1),
            ("A#2", 4, 1),
        ] {
            assert_eq!(columns.find(name), Ok(Found { index, alike }), "{name}");
        }
        for (name, part) in [
            ("E-Mail", "no column `E-Mail`"),
            ("Email#3", "stands twice"),
            ("@A", "no column @A"),
            ("@Z", "no column @Z"),
        ] {
            let missing = columns.find(name).unwrap_err();
            assert!(missing.message.contains(part), "{}", missing.message);
        }
        assert_eq!(
            columns.find("E-Mail").unwrap_err().help.as_deref(),
            Some("did you mean `Email`?")
        );
    }

    #[test]
    fn a_snake_name_of_two_columns_needs_row() {
        let columns = Columns::new(&header(&["First Name", "FirstName", "Age"], 0));
        assert_eq!(columns.find_snake("age"), Ok(2));
        let missing = columns.find_snake("first_name").unwrap_err();
        assert_eq!(
            missing.help.as_deref(),
            Some("write `row[\"First Name\"]` or `row[\"FirstName\"]`")
        );
        let names = columns.into_names();
        assert_eq!(names.by_snake("first_name"), None);
        assert_eq!(names.by_header("firstname"), Some(1));
    }
}
