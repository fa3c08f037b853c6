//! rowferry reads customers from spreadsheets, maps and validates them by a mapping file, and sends
//! them to a customers API at the pace it allows: nothing twice, nothing lost.
//!
//! Rows flow one way, in batches, through rooms that know only their neighbours' types:
//! [`source`] → [`plan`] → [`ledger`] → [`upload`] → results and [`reject`] files and the
//! [`report`]; [`pipeline`] wires them.

pub mod area;
pub mod cli;
pub mod document;
pub mod fault;
pub mod field;
pub mod issue;
pub mod ledger;
mod letters;
pub mod mapping;
mod mark;
pub mod path;
pub mod pipeline;
pub mod plan;
pub mod rate;
pub mod record;
pub mod reject;
pub mod report;
pub mod row;
pub mod sandbox;
pub mod schema;
pub mod source;
pub mod target;
pub mod template;
pub mod upload;
