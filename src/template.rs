//! MiniJinja as we use it: compiled once, names checked at load.
//!
//! MiniJinja finds an unknown filter, test or function only when it comes to evaluate it; here
//! the source is scanned for them, so that a mapping or target file is refused before the first
//! row. Names of variables are for the caller to check, see [`Template::names`].

mod filters;
mod scan;
mod text;
mod tokens;

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::sync::{Mutex, OnceLock, PoisonError};

use minijinja::{Environment, ErrorKind, UndefinedBehavior};

pub use minijinja::Value as Scope;
pub use text::{ascii, slug, snake_name};

/// How many instructions one evaluation may take; a loop that goes on and on ends with an error.
const FUEL: u64 = 100_000;

/// What is wrong with a template or expression, at compile or at evaluation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// The bytes within the source text where it shows.
    pub range: Option<Range<usize>>,
}

/// A variable that a template or expression reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The variable and the members that follow: `row["First Name"]` is `row`, `First Name`;
    /// `address.city` is `address`, `city`.
    pub path: Vec<String>,
    /// The bytes within the source text where it stands.
    pub range: Option<Range<usize>>,
}

/// A compiled template.
pub struct Template {
    compiled: minijinja::Template<'static, 'static>,
    source: &'static str,
    names: Vec<Name>,
    constant: bool,
}

/// A compiled expression.
pub struct Expression {
    compiled: minijinja::Expression<'static, 'static>,
    source: Box<str>,
    names: Vec<Name>,
    against_number: Option<Name>,
}

impl Template {
    /// Compiles a template.
    ///
    /// # Errors
    /// Bad syntax; a filter, test, function or method that does not exist; a tag that needs
    /// other templates (`include`, `extends` …).
    pub fn compile(source: &str) -> Result<Self, TemplateError> {
        let source = interned(source);
        let compiled = environment()
            .template_from_str(source)
            .map_err(|error| explain(&error, source))?;
        let free = compiled.undeclared_variables(false);
        let scanned = tokens::template(source);
        let names = scan::names(&scanned, &free)?;
        Ok(Self {
            compiled,
            source,
            names,
            constant: !scanned.has_tags,
        })
    }

    /// Every place where a variable is read that the template does not itself declare, in the
    /// order of the source.
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// Renders the template.
    ///
    /// # Errors
    /// An undefined value is used, a filter refuses its input, or the template does not end.
    pub fn render(&self, scope: &Scope) -> Result<String, TemplateError> {
        self.compiled
            .render(scope.clone())
            .map_err(|error| explain(&error, self.source))
    }

    /// The text it was compiled from.
    pub fn source(&self) -> &str {
        self.source
    }

    /// Whether it is plain text, with nothing to fill in.
    pub fn is_constant(&self) -> bool {
        self.constant
    }
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// Bad syntax; a filter, test, function or method that does not exist.
    pub fn compile(source: &str) -> Result<Self, TemplateError> {
        let compiled = environment()
            .compile_expression_owned(source.to_owned())
            .map_err(|error| explain(&error, source))?;
        let free = compiled.undeclared_variables(false);
        let scanned = tokens::expression(source);
        let names = scan::names(&scanned, &free)?;
        let against_number = scan::against_number(&scanned, &names).cloned();
        Ok(Self {
            compiled,
            source: source.into(),
            names,
            against_number,
        })
    }

    /// Every place where a variable is read, in the order of the source.
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// A variable that is compared as it is with a number, such as `age` in `age > 18`. A text is
    /// never equal to a number, and always greater than one; what is in a `body` may be a number.
    pub fn text_against_number(&self) -> Option<&Name> {
        self.against_number.as_ref()
    }

    /// Whether the expression is true: empty text, nought, empty lists, `none` and `false` are not.
    ///
    /// # Errors
    /// An undefined value is used, or a filter refuses its input.
    pub fn truth(&self, scope: &Scope) -> Result<bool, TemplateError> {
        let value = self
            .compiled
            .eval(scope.clone())
            .map_err(|error| explain(&error, &self.source))?;
        if value.is_undefined() {
            return Err(TemplateError {
                message: "the expression gives no value, because what it names is not there"
                    .to_owned(),
                range: Some(0..self.source.len()),
            });
        }
        Ok(value.is_true())
    }

    /// The text it was compiled from.
    pub fn source(&self) -> &str {
        &self.source
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.source).finish()
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source).finish()
    }
}

/// The environment that all templates and expressions share.
fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(50);
        environment.set_debug(true);
        // It would print the whole row.
        environment.remove_global("debug");
        environment.add_filter("slug", filters::slug);
        environment.add_filter("digits", filters::digits);
        environment.add_filter("date", filters::date);
        environment
    })
}

/// A text that lives as long as the program: a compiled MiniJinja template borrows its source, and
/// one that owns it takes a lock at each rendering. Equal texts are kept once, and all of them
/// come from the few files of configuration that a run reads.
fn interned(source: &str) -> &'static str {
    static SOURCES: OnceLock<Mutex<HashSet<&'static str>>> = OnceLock::new();
    let mut sources = SOURCES
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = sources.get(source) {
        return known;
    }
    let kept: &'static str = Box::leak(source.into());
    sources.insert(kept);
    kept
}

/// Turns an error of MiniJinja's into one for people.
fn explain(error: &minijinja::Error, source: &str) -> TemplateError {
    let detail = error.detail().unwrap_or_default();
    let message = match error.kind() {
        ErrorKind::SyntaxError => format!("this does not parse: {detail}"),
        ErrorKind::UndefinedError => "a value is used that is not there".to_owned(),
        ErrorKind::InvalidOperation if detail == "cannot parse float from empty string" => {
            "a number is read from an empty text; give a default, such as `|int(0)`".to_owned()
        }
        ErrorKind::InvalidOperation if detail == "invalid float literal" => {
            "a number is read from a text that is not a number".to_owned()
        }
        ErrorKind::OutOfFuel => "this does not come to an end".to_owned(),
        kind if detail.is_empty() => kind.to_string(),
        _ => detail.to_owned(),
    };
    TemplateError {
        message,
        range: error.range().map(|range| within(source, range)),
    }
}

/// MiniJinja's mark may end within a character or behind the end of the source.
fn within(source: &str, range: Range<usize>) -> Range<usize> {
    let start = source.floor_char_boundary(range.start);
    let end = source.ceil_char_boundary(range.end);
    start..end.max(start)
}

#[cfg(test)]
mod tests;
