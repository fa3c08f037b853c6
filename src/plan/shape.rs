//! How the fields of a body nest, worked out once: for each row the values are only strung
//! together.

use crate::field::write_json_str;
use crate::path::{Path, Step};
use crate::target::file::{CustomSection, CustomShape};

/// One step on the way to a field of the body.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seg {
    /// A member of an object.
    Key(String),
    /// A member of an array.
    Index(usize),
    /// The value of the pair with this key, in an array of pairs.
    Pair(String),
}

/// Where a field stands in the body.
pub(super) type Place = Vec<Seg>;

/// The place of a path of `[fields]`. A closing `[]` is the array as a whole.
pub(super) fn place_of_field(path: &Path) -> Result<Place, String> {
    let mut place = Vec::with_capacity(path.0.len());
    for (at, step) in path.0.iter().enumerate() {
        match step {
            Step::Key(key) => place.push(Seg::Key(key.clone())),
            Step::Index(index) => place.push(Seg::Index(*index)),
            Step::Each if at + 1 == path.0.len() => {}
            Step::Each => return Err("`[]` can only stand at the end of a path".to_owned()),
        }
    }
    match place.first() {
        Some(Seg::Key(_)) => Ok(place),
        _ => Err("a path begins with the name of a field".to_owned()),
    }
}

/// The place of a path of `[custom]`.
pub(super) fn place_of_custom(path: &Path, custom: &CustomSection) -> Result<Place, String> {
    let inner = place_of_field(path)?;
    let at = Path::parse(&custom.at)?;
    let mut place = if at.is_empty() {
        Vec::new()
    } else {
        place_of_field(&at)?
    };
    let mut rest = inner.into_iter();
    if let Some(Seg::Key(key)) = rest.next() {
        place.push(match custom.shape {
            CustomShape::Object => Seg::Key(key),
            CustomShape::Prefix => Seg::Key(format!("{}{key}", custom.prefix)),
            CustomShape::Pairs => Seg::Pair(key),
        });
    }
    place.extend(rest);
    Ok(place)
}

/// A place as text; another text for every other place.
pub(super) fn canonical(place: &[Seg]) -> String {
    let mut text = String::new();
    for seg in place {
        match seg {
            Seg::Key(key) => {
                text.push('.');
                write_json_str(key, &mut text);
            }
            Seg::Index(index) => text.push_str(&format!("[{index}]")),
            Seg::Pair(key) => {
                text.push('=');
                write_json_str(key, &mut text);
            }
        }
    }
    text
}

/// How pairs are written.
#[derive(Debug, Clone, Default)]
pub(super) struct PairForm {
    key: String,
    value: String,
    integer: bool,
}

impl PairForm {
    pub(super) fn of(custom: Option<&CustomSection>) -> Self {
        let name = |name: Option<&String>, usual: &str| {
            name.map_or_else(|| usual.to_owned(), Clone::clone)
        };
        Self {
            key: name(custom.and_then(|custom| custom.key.as_ref()), "key"),
            value: name(custom.and_then(|custom| custom.value.as_ref()), "value"),
            integer: custom.is_some_and(|custom| custom.key_type.as_deref() == Some("integer")),
        }
    }
}

/// The shape of a body.
#[derive(Debug)]
pub(super) struct Shape {
    root: Vec<(Box<str>, Node)>,
    leaves: Vec<(Place, usize)>,
    pairs: PairForm,
}

#[derive(Debug)]
enum Node {
    Leaf(usize),
    Object(Vec<(Box<str>, Node)>),
    Array(Vec<Option<Node>>),
    /// Each with the text up to its value.
    Pairs(Vec<(Box<str>, Node)>),
}

/// Two fields stand in each other's way: the slot that was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clash(pub(super) usize);

impl Shape {
    pub(super) fn new(pairs: PairForm) -> Self {
        Self {
            root: Vec::new(),
            leaves: Vec::new(),
            pairs,
        }
    }

    /// Adds a field behind those that are there.
    pub(super) fn insert(&mut self, place: &[Seg], slot: usize) -> Result<(), Clash> {
        let Some((Seg::Key(key), rest)) = place.split_first() else {
            return Ok(());
        };
        let head = member(key);
        insert_member(&mut self.root, head, rest, slot, &self.pairs)?;
        self.leaves.push((place.to_vec(), slot));
        Ok(())
    }

    /// Writes a body. `filled` gives a slot's value as JSON, if it has one.
    pub(super) fn write<'t>(&self, filled: &impl Fn(usize) -> Option<&'t str>, out: &mut String) {
        if !write_members(&self.root, filled, out) {
            out.push_str("{}");
        }
    }

    /// Whether a field may stand at these members of the body, above or within what is there.
    pub(super) fn knows(&self, way: &[String]) -> bool {
        self.leaves.iter().any(|(place, _)| {
            place.iter().zip(way).all(|(seg, step)| match seg {
                Seg::Key(key) => key == step,
                // Members of lists are counted.
                Seg::Index(_) | Seg::Pair(_) => true,
            })
        })
    }

    /// The members that stand beside each other at this place of the body.
    pub(super) fn members(&self, way: &[String]) -> Vec<&str> {
        let mut found = Vec::new();
        for (place, _) in &self.leaves {
            let within = place.len() > way.len()
                && place
                    .iter()
                    .zip(way)
                    .all(|(seg, step)| matches!(seg, Seg::Key(key) if key == step));
            if within
                && let Some(Seg::Key(key)) = place.get(way.len())
                && !found.contains(&key.as_str())
            {
                found.push(key.as_str());
            }
        }
        found
    }

    /// Puts null where a record lacks a field that the mapping knows, so that it can be named.
    pub(super) fn fill_gaps(&self, record: &mut serde_json::Value) {
        for (place, _) in &self.leaves {
            let mut at = &mut *record;
            for seg in place {
                let Seg::Key(key) = seg else { break };
                if at.is_null() {
                    *at = serde_json::Value::Object(serde_json::Map::new());
                }
                let serde_json::Value::Object(members) = at else {
                    break;
                };
                at = members
                    .entry(key.clone())
                    .or_insert(serde_json::Value::Null);
            }
        }
    }

    /// The slot that a server's name of a field leads back to. `body` helps where the name
    /// counts: pairs, and arrays whose empty members were left out.
    pub(super) fn find(&self, name: &str, body: Option<&serde_json::Value>) -> Option<usize> {
        let segments: Vec<&str> = name
            .split(['.', '[', ']', '/'])
            .map(|part| part.trim_matches(['"', '\'', ' ']))
            .filter(|part| !part.is_empty())
            .collect();
        // The server may put names of its own before ours (`body.email`), or leave out where
        // a field stands (`dob` for `input_details.dob`).
        for start in 0..segments.len() {
            let wanted = &segments[start..];
            if wanted.iter().all(|part| part.parse::<usize>().is_ok()) {
                continue;
            }
            let mut best: Option<(usize, usize)> = None;
            for (place, slot) in &self.leaves {
                let likeness = self.likeness(place, wanted, body);
                if likeness > best.map_or(0, |(likeness, _)| likeness) {
                    best = Some((likeness, *slot));
                }
            }
            if let Some((_, slot)) = best {
                return Some(slot);
            }
        }
        let last = segments
            .iter()
            .rev()
            .find(|part| part.parse::<usize>().is_err() && **part != self.pairs.value.as_str())?;
        let mut named = self.leaves.iter().filter(|(place, _)| {
            place.iter().rev().any(
                |seg| matches!(seg, Seg::Key(key) | Seg::Pair(key) if plain(key) == plain(last)),
            )
        });
        let (_, slot) = named.next()?;
        named.next().is_none().then_some(*slot)
    }

    /// How well a server's name fits a place: 0 not at all; more where more steps agree, most
    /// where all do.
    fn likeness(&self, place: &[Seg], wanted: &[&str], body: Option<&serde_json::Value>) -> usize {
        let mut rest = wanted;
        let mut at = body;
        let mut agreed = 0;
        for seg in place {
            let Some((first, more)) = rest.split_first() else {
                // The server names what the field stands in.
                return agreed * 4 + 1;
            };
            match seg {
                Seg::Key(key) => {
                    if plain(key) != plain(first) {
                        return 0;
                    }
                    at = at.and_then(|value| value.get(key));
                    rest = more;
                }
                Seg::Index(index) => {
                    if first.parse() != Ok(*index) {
                        return 0;
                    }
                    at = at.and_then(|value| value.get(index));
                    rest = more;
                }
                Seg::Pair(key) => {
                    rest = more;
                    if let Ok(index) = first.parse::<usize>()
                        && let Some(pair) = at.and_then(|pairs| pairs.get(index))
                    {
                        if !names_pair(pair.get(&self.pairs.key), key) {
                            return 0;
                        }
                        at = pair.get(&self.pairs.value);
                        if let [member, more @ ..] = rest
                            && (*member == self.pairs.value || *member == self.pairs.key)
                        {
                            rest = more;
                        }
                    } else if plain(first) != plain(key) {
                        return 0;
                    }
                }
            }
            agreed += 1;
        }
        // What the server says beyond is a part of the field's value.
        agreed * 4 + if rest.is_empty() { 3 } else { 2 }
    }
}

/// A name for comparison: servers write `givenName` and `given_name` of one field.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

fn names_pair(found: Option<&serde_json::Value>, key: &str) -> bool {
    match found {
        Some(serde_json::Value::String(text)) => text == key,
        Some(serde_json::Value::Number(number)) => number.to_string() == key,
        _ => false,
    }
}

/// A member's name as it stands in JSON.
fn member(key: &str) -> Box<str> {
    let mut head = String::new();
    write_json_str(key, &mut head);
    head.push(':');
    head.into()
}

fn insert_member(
    members: &mut Vec<(Box<str>, Node)>,
    head: Box<str>,
    rest: &[Seg],
    slot: usize,
    pairs: &PairForm,
) -> Result<(), Clash> {
    match members.iter_mut().find(|(other, _)| *other == head) {
        Some((_, node)) => insert_into(node, rest, slot, pairs),
        None => {
            members.push((head, build(rest, slot, pairs)));
            Ok(())
        }
    }
}

fn insert_into(node: &mut Node, rest: &[Seg], slot: usize, pairs: &PairForm) -> Result<(), Clash> {
    match (node, rest.split_first()) {
        (Node::Object(members), Some((Seg::Key(key), rest))) => {
            insert_member(members, member(key), rest, slot, pairs)
        }
        (Node::Pairs(members), Some((Seg::Pair(key), rest))) => {
            insert_member(members, pair_head(key, pairs), rest, slot, pairs)
        }
        (Node::Array(items), Some((Seg::Index(index), rest))) => {
            if items.len() <= *index {
                items.resize_with(index + 1, || None);
            }
            match &mut items[*index] {
                Some(node) => insert_into(node, rest, slot, pairs),
                place => {
                    *place = Some(build(rest, slot, pairs));
                    Ok(())
                }
            }
        }
        (node, _) => Err(Clash(first_leaf(node))),
    }
}

fn build(rest: &[Seg], slot: usize, pairs: &PairForm) -> Node {
    match rest.split_first() {
        None => Node::Leaf(slot),
        Some((Seg::Key(key), rest)) => Node::Object(vec![(member(key), build(rest, slot, pairs))]),
        Some((Seg::Pair(key), rest)) => {
            Node::Pairs(vec![(pair_head(key, pairs), build(rest, slot, pairs))])
        }
        Some((Seg::Index(index), rest)) => {
            let mut items = Vec::new();
            items.resize_with(*index, || None);
            items.push(Some(build(rest, slot, pairs)));
            Node::Array(items)
        }
    }
}

/// The text of a pair up to its value.
fn pair_head(key: &str, pairs: &PairForm) -> Box<str> {
    let mut head = String::from("{");
    head.push_str(&member(&pairs.key));
    if pairs.integer {
        head.push_str(key);
    } else {
        write_json_str(key, &mut head);
    }
    head.push(',');
    head.push_str(&member(&pairs.value));
    head.into()
}

fn first_leaf(node: &Node) -> usize {
    match node {
        Node::Leaf(slot) => *slot,
        Node::Object(members) | Node::Pairs(members) => {
            members.first().map_or(0, |(_, node)| first_leaf(node))
        }
        Node::Array(items) => items.iter().flatten().next().map_or(0, first_leaf),
    }
}

fn write_node<'t>(
    node: &Node,
    filled: &impl Fn(usize) -> Option<&'t str>,
    out: &mut String,
) -> bool {
    match node {
        Node::Leaf(slot) => match filled(*slot) {
            Some(fragment) => {
                out.push_str(fragment);
                true
            }
            None => false,
        },
        Node::Object(members) => write_members(members, filled, out),
        Node::Pairs(members) => {
            let mut any = false;
            for (head, node) in members {
                let mark = out.len();
                out.push(if any { ',' } else { '[' });
                out.push_str(head);
                if write_node(node, filled, out) {
                    out.push('}');
                    any = true;
                } else {
                    out.truncate(mark);
                }
            }
            if any {
                out.push(']');
            }
            any
        }
        Node::Array(items) => {
            let mut any = false;
            // What is empty goes, and what follows moves up; a place that no field fills stays.
            let mut gaps = 0;
            for item in items {
                let Some(node) = item else {
                    gaps += 1;
                    continue;
                };
                let mark = out.len();
                out.push(if any { ',' } else { '[' });
                for _ in 0..gaps {
                    out.push_str("null,");
                }
                if write_node(node, filled, out) {
                    any = true;
                    gaps = 0;
                } else {
                    out.truncate(mark);
                }
            }
            if any {
                out.push(']');
            }
            any
        }
    }
}

fn write_members<'t>(
    members: &[(Box<str>, Node)],
    filled: &impl Fn(usize) -> Option<&'t str>,
    out: &mut String,
) -> bool {
    let mut any = false;
    for (head, node) in members {
        let mark = out.len();
        out.push(if any { ',' } else { '{' });
        out.push_str(head);
        if write_node(node, filled, out) {
            any = true;
        } else {
            out.truncate(mark);
        }
    }
    if any {
        out.push('}');
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(places: &[Place], pairs: PairForm) -> Shape {
        let mut shape = Shape::new(pairs);
        for (slot, place) in places.iter().enumerate() {
            shape.insert(place, slot).unwrap();
        }
        shape
    }

    fn field(path: &str) -> Place {
        place_of_field(&Path::parse(path).unwrap()).unwrap()
    }

    fn written(shape: &Shape, values: &[Option<&'static str>]) -> String {
        let mut out = String::new();
        shape.write(&|slot| values[slot], &mut out);
        out
    }

    #[test]
    fn bodies_nest_and_empty_parents_go() {
        let places: Vec<Place> = [
            "name",
            "address.city",
            "a[0].b",
            "a[1].b",
            "geo[0]",
            "geo[2]",
            "tags[]",
        ]
        .map(field)
        .to_vec();
        let shape = shape(&places, PairForm::default());
        for (values, want) in [
            (
                [
                    Some("1"),
                    Some("2"),
                    Some("3"),
                    Some("4"),
                    Some("5"),
                    Some("6"),
                    Some("[7]"),
                ],
                r#"{"name":1,"address":{"city":2},"a":[{"b":3},{"b":4}],"geo":[5,null,6],"tags":[7]}"#,
            ),
            (
                [None, None, None, Some("4"), None, Some("6"), None],
                r#"{"a":[{"b":4}],"geo":[null,6]}"#,
            ),
            (
                [None, Some("2"), None, None, Some("5"), None, None],
                r#"{"address":{"city":2},"geo":[5]}"#,
            ),
            ([None; 7], "{}"),
        ] {
            let out = written(&shape, &values);
            assert_eq!(out, want);
            serde_json::from_str::<serde_json::Value>(&out).unwrap();
        }
    }

    #[test]
    fn custom_fields_take_the_target_s_shape() {
        for (custom, want, number) in [
            (
                CustomSection {
                    at: "customFields".into(),
                    ..CustomSection::default()
                },
                r#"{"customFields":{"12":1,"address":{"city":2}}}"#,
                "customFields.address.city",
            ),
            (
                CustomSection {
                    at: "field_values".into(),
                    shape: CustomShape::Pairs,
                    key: Some("field_id".into()),
                    key_type: Some("integer".into()),
                    ..CustomSection::default()
                },
                r#"{"field_values":[{"field_id":12,"value":1},{"field_id":7,"value":{"city":2}}]}"#,
                "field_values.1.value.city",
            ),
            (
                CustomSection {
                    shape: CustomShape::Prefix,
                    prefix: "cf_".into(),
                    ..CustomSection::default()
                },
                r#"{"cf_12":1,"cf_address":{"city":2}}"#,
                "cf_address[city]",
            ),
        ] {
            let pairs = custom.shape == CustomShape::Pairs;
            let second = if pairs { "7.city" } else { "address.city" };
            let places: Vec<Place> = ["12", second]
                .iter()
                .map(|path| place_of_custom(&Path::parse(path).unwrap(), &custom).unwrap())
                .collect();
            let shape = shape(&places, PairForm::of(Some(&custom)));
            assert_eq!(written(&shape, &[Some("1"), Some("2")]), want);
            let body = serde_json::from_str(want).unwrap();
            assert_eq!(shape.find(number, Some(&body)), Some(1), "{number}");
            let shorter = written(&shape, &[None, Some("2")]);
            let body = serde_json::from_str(&shorter).unwrap();
            if pairs {
                assert_eq!(shape.find("field_values.0.value", Some(&body)), Some(1));
            }
        }
    }

    #[test]
    fn members_that_no_rule_fills_are_not_known() {
        let shape = shape(
            &["name", "address.city", "a[0].b", "tags[]"].map(field),
            PairForm::default(),
        );
        for (way, known) in [
            (&["name"][..], true),
            (&["nme"], false),
            (&["address"], true),
            (&["address", "city", "x"], true),
            (&["address", "zip"], false),
            (&["a", "0", "b"], true),
            (&["tags", "0"], true),
            (&[], true),
        ] {
            let way: Vec<String> = way.iter().map(|step| (*step).to_owned()).collect();
            assert_eq!(shape.knows(&way), known, "{way:?}");
        }
        assert_eq!(shape.members(&[]), ["name", "address", "a", "tags"]);
        assert_eq!(shape.members(&["address".to_owned()]), ["city"]);
    }

    #[test]
    fn fields_that_stand_in_each_other_s_way_clash() {
        let mut shape = shape(&[field("a"), field("b.c")], PairForm::default());
        assert_eq!(shape.insert(&field("a.x"), 2), Err(Clash(0)));
        assert_eq!(shape.insert(&field("b"), 2), Err(Clash(1)));
        assert_eq!(shape.insert(&field("b[0]"), 2), Err(Clash(1)));
        assert_eq!(shape.insert(&field("b.d"), 2), Ok(()));
    }

    #[test]
    fn a_server_s_name_leads_to_the_field() {
        let places: Vec<Place> = [
            "email",
            "address.city",
            "input_details.dob",
            "givenName",
            "phones[0].number",
            "address.street",
        ]
        .map(field)
        .to_vec();
        let shape = shape(&places, PairForm::default());
        for (name, slot) in [
            ("email", Some(0)),
            ("body.email", Some(0)),
            ("customer[email]", Some(0)),
            ("/address/city", Some(1)),
            ("address", Some(1)),
            ("address.street", Some(5)),
            ("input_details.dob", Some(2)),
            ("dob", Some(2)),
            ("given_name", Some(3)),
            ("phones.0.number", Some(4)),
            ("phones[0].number", Some(4)),
            ("email.0", Some(0)),
            ("nothing", None),
            ("0", None),
            ("", None),
        ] {
            assert_eq!(shape.find(name, None), slot, "{name}");
        }
    }

    #[test]
    fn paths_that_cannot_stand_in_a_body_are_told() {
        for wrong in ["[0].a", "a[].b"] {
            assert!(
                place_of_field(&Path::parse(wrong).unwrap()).is_err(),
                "{wrong}"
            );
        }
        assert_ne!(canonical(&field("a.b")), canonical(&field(r"a\.b")));
    }
}
