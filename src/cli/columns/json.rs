//! What `rowferry columns --json` prints; `docs/inputs.md` lists the members.

use serde_json::{Value, json};

use super::{share, sound};
use crate::source::profile::{ColumnProfile, Profile, Shape};
use crate::source::{Facts, Input, Source};

/// What was found, as one object.
pub(super) fn json(input: &Input, source: &Source, profile: &Profile) -> Value {
    let facts = match &source.facts {
        Facts::Csv(facts) => json!({
            "format": "csv",
            "packed": source.packed,
            "delimiter": char::from(facts.delimiter).to_string(),
            "quote": char::from(facts.quote).to_string(),
            "encoding": facts.encoding,
            "bom": facts.bom,
            "terminator": facts.terminator,
        }),
        Facts::Workbook(facts) => json!({
            "format": facts.format,
            "sheet": facts.sheet,
            "date_1904": facts.date_1904,
        }),
    };
    let faults: serde_json::Map<String, Value> = profile
        .faults
        .iter()
        .map(|(code, faulty)| ((*code).to_owned(), json!(faulty.count)))
        .collect();
    let faulty: Vec<Value> = profile
        .faults
        .iter()
        .map(|(code, faulty)| {
            json!({
                "code": code,
                "count": faulty.count,
                "rows": faulty.rows,
                "message": faulty.message,
            })
        })
        .collect();
    let mut object = json!({ "input": input.name() });
    let members = json!({
        "header_row": source.header.row,
        "rows": profile.rows,
        "faults": faults,
        "faulty_rows": faulty,
        "notes": source.notes,
        "columns": profile.columns.iter().map(|column| column_json(column, sound(profile))).collect::<Vec<_>>(),
    });
    if let Value::Object(object) = &mut object {
        for part in [facts, members] {
            if let Value::Object(part) = part {
                object.extend(part);
            }
        }
    }
    object
}

fn column_json(column: &ColumnProfile, rows: u64) -> Value {
    let kinds: serde_json::Map<String, Value> = column
        .shapes
        .iter()
        .map(|(shape, count)| (shape.name().to_owned(), json!(count)))
        .collect();
    let examples: Vec<Value> = column
        .examples
        .iter()
        .map(|(value, count)| json!({ "value": value, "count": count }))
        .collect();
    let misfits: Vec<Value> = column
        .misfit_examples
        .iter()
        .map(|(row, value)| json!({ "row": row, "value": value }))
        .collect();
    let damage: Vec<Value> = column
        .damage
        .iter()
        .map(|finding| {
            json!({
                "code": finding.code(),
                "count": finding.count,
                "rows": finding.rows,
                "message": finding.message(),
                "help": finding.help(),
                "mapping": finding.mend(),
            })
        })
        .collect();
    let (least, most) = column.range.clone().unzip();
    json!({
        "name": &*column.name,
        "letter": column.letter,
        "kind": column.shape.name(),
        "mostly": column.mostly.map(Shape::name),
        "kinds": kinds,
        "filled": column.filled,
        "share": share(column.filled, rows),
        "distinct": column.distinct,
        "distinct_exact": column.distinct_exact,
        "min": least,
        "max": most,
        "min_length": column.shortest,
        "max_length": column.longest,
        "undecodable": column.undecodable,
        "examples": examples,
        "misfits": column.misfits,
        "misfit_examples": misfits,
        "damage": damage,
    })
}

#[cfg(test)]
mod tests {
    use super::super::looked_at;
    use super::*;

    #[test]
    fn json_tells_the_same() {
        let (input, source, profile, _folder) = looked_at("id,mail\n1,a@b.org\n2,\n3,4,5\n");
        let json = json(&input, &source, &profile);
        assert_eq!(json["format"], "csv");
        assert_eq!(json["delimiter"], ",");
        assert_eq!((&json["header_row"], &json["rows"]), (&json!(1), &json!(3)));
        assert_eq!(json["faults"], json!({ "row.ragged": 1 }));
        assert_eq!(json["faulty_rows"][0]["rows"], json!([4]));
        assert_eq!(
            (&json["columns"][0]["min"], &json["columns"][0]["max"]),
            (&json!("1"), &json!("2"))
        );
        assert_eq!(json["columns"][0]["damage"], json!([]));
        assert_eq!(json["columns"][1]["kind"], "email");
        assert_eq!(json["columns"][1]["filled"], 1);
        assert_eq!(json["columns"][1]["share"], 0.5);
        assert_eq!(
            json["columns"][0]["examples"][0],
            json!({ "value": "1", "count": 1 })
        );
    }
}
