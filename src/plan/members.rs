//! Members of the body that a `[[check]]` names, compared with those that the mapping can fill.

use super::compile::{Compiler, inside};
use super::shape::Shape;
use crate::issue::{Mistake, nearest};
use crate::path::{Path, Step};
use crate::template::Expression;

/// Tells the members of `body` that nothing fills, which no row could ever have.
pub(super) fn tell_unknown(compiler: &mut Compiler<'_>, shape: &Shape) {
    let create = &compiler.target.file.create;
    for check in &compiler.mapping.head.check {
        let source = &check.assert;
        // One that does not compile is told elsewhere.
        let Ok(expression) = Expression::compile(source.get_ref()) else {
            continue;
        };
        for name in expression.names() {
            let [root, way @ ..] = name.path.as_slice() else {
                continue;
            };
            let constant = || {
                let wrap = create.wrap.as_deref().unwrap_or_default();
                let wrap = Path::parse(wrap).unwrap_or_default();
                way.first().is_some_and(|first| {
                    create.constants.contains_key(first)
                        || matches!(wrap.0.first(), Some(Step::Key(key)) if key == first)
                        || constant_at(&create.constants, &wrap, first)
                })
            };
            if root != "body" || way.is_empty() || shape.knows(way) || constant() {
                continue;
            }
            // The first step that leads nowhere.
            let known = (0..way.len()).take_while(|end| shape.knows(&way[..*end]));
            let above = &way[..known.last().unwrap_or_default()];
            let members = shape.members(above);
            let wrong = way.get(above.len()).map_or("", String::as_str);
            let lead = std::iter::once("body").chain(above.iter().map(String::as_str));
            let lead = lead.collect::<Vec<_>>().join(".");
            let help = match nearest(wrong, members.iter().copied()) {
                Some(near) => format!("did you mean `{lead}.{near}`?"),
                None if members.is_empty() => "no rule of the mapping fills anything there".into(),
                None => format!(
                    "the mapping fills there: {}",
                    super::columns::some_of(&members)
                ),
            };
            let told = Mistake::new(
                "unknown-name",
                format!("nothing fills `{}`", name.path.join(".")),
            )
            .at(
                compiler.file(),
                inside(compiler.file(), source, name.range.clone()),
                "no such member",
            )
            .help(help);
            compiler.tell.add(told);
        }
    }
}

/// Whether a constant stands at a member of the record.
fn constant_at(constants: &toml::Table, wrap: &Path, member: &str) -> bool {
    let mut at = constants;
    for step in &wrap.0 {
        let Step::Key(key) = step else { return false };
        let Some(toml::Value::Table(next)) = at.get(key) else {
            return false;
        };
        at = next;
    }
    at.contains_key(member)
}
