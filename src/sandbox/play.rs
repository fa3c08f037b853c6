//! A target file read as what a server does: its routes, what each takes and how each answers.

use std::cmp::Reverse;

use serde_json::{Map, Value};

use super::account::Account;
use super::auth::Auth;
use super::batch::Batch;
use super::find::Turn;
use super::pattern::{Hole, Pattern};
use super::refuse::{Exists, Shapes};
use super::schema::Schema;
use super::value::object;
use crate::path::{Path, Step};
use crate::target::custom::Definition;
use crate::target::file::{
    BodyForm, LimitHeaders, LookupSection, Ordered, Paging, TargetFile, UpdateMode,
};

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Batch,
    Lookup(usize),
    List,
    Read,
    Update,
    Delete,
    Discover,
    DiscoverOptions,
}

impl Action {
    /// Whether faults may strike its answers.
    pub(super) fn writes(self) -> bool {
        matches!(self, Action::Create | Action::Batch | Action::Update)
    }
}

/// One way to ask.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) method: String,
    pub(super) path: Pattern,
    pub(super) query: Vec<(String, Pattern)>,
    pub(super) action: Action,
    /// What the holes of the path name.
    pub(super) hits: Vec<Hit>,
    /// What the holes of each query parameter name.
    pub(super) query_hits: Vec<Vec<Hit>>,
    /// The texts of a posted search, by their places in the body.
    pub(super) body: Vec<(Path, Pattern)>,
    /// What the holes of each of them name.
    pub(super) body_hits: Vec<Vec<Hit>>,
}

/// What a hole of a template names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hit {
    Id,
    Address,
    /// A field, by its index in the store; `folds`: ignoring case.
    Field {
        index: usize,
        folds: bool,
    },
}

/// A field that is kept unique.
#[derive(Debug)]
pub(super) struct Unique {
    pub(super) path: Path,
    pub(super) index: usize,
    pub(super) exists: Exists,
    /// The refusal names the field.
    pub(super) named: bool,
}

/// `[[lookup]]`.
#[derive(Debug)]
pub(super) struct Lookup {
    /// Where the matches stand; `None`: the answer is the one record.
    pub(super) results: Option<Path>,
    /// The search is not exact.
    pub(super) search: bool,
    pub(super) id: Path,
    pub(super) address: Option<Path>,
    /// Where the record's fields stand in a match.
    pub(super) record: Path,
    /// What is compared in a match under another name than the field's: there, and the field.
    pub(super) shows: Vec<(Path, Path)>,
}

/// `[list]`.
#[derive(Debug)]
pub(super) struct List {
    pub(super) results: Path,
    pub(super) id: Path,
    pub(super) address: Option<Path>,
    pub(super) paging: Option<Paging>,
    pub(super) turn: Turn,
}

/// `[update]`.
#[derive(Debug)]
pub(super) struct Update {
    pub(super) mode: UpdateMode,
    pub(super) keyed: Option<(Path, usize)>,
    pub(super) missing: u16,
    pub(super) never: Vec<Path>,
    pub(super) success: u16,
}

/// A target as a server plays it.
#[derive(Debug)]
pub(super) struct Play {
    pub(super) base: String,
    pub(super) routes: Vec<Route>,
    pub(super) auth: Auth,
    pub(super) schema: Schema,
    pub(super) shapes: Shapes,
    pub(super) limit_headers: Option<LimitHeaders>,
    pub(super) form: BodyForm,
    pub(super) wrap: Path,
    pub(super) constants: Map<String, Value>,
    pub(super) created: u16,
    pub(super) ok: Option<Path>,
    pub(super) id: Path,
    pub(super) address: Option<Path>,
    /// The field that is the address, if one is.
    pub(super) address_field: Option<(Path, usize)>,
    pub(super) idempotency_header: Option<String>,
    pub(super) natural: Option<Path>,
    pub(super) uniques: Vec<Unique>,
    pub(super) batch: Option<Batch>,
    pub(super) lookups: Vec<Lookup>,
    pub(super) list: Option<List>,
    pub(super) read: Path,
    pub(super) update: Option<Update>,
    pub(super) unreadable: Vec<Path>,
    pub(super) deleted: u16,
    /// The account's custom fields, where they can be listed.
    pub(super) account: Option<Account>,
    /// The fields by which the store finds records.
    pub(super) indexed: Vec<Path>,
    pub(super) search: bool,
}

/// Collects the fields that need an index while routes are read.
struct Indexes<'t> {
    target: &'t TargetFile,
    paths: Vec<Path>,
    natural: Option<(Path, Vec<Hole>)>,
    address_field: Option<Path>,
}

impl Indexes<'_> {
    fn of(&mut self, path: &Path) -> usize {
        self.paths
            .iter()
            .position(|known| known == path)
            .unwrap_or_else(|| {
                self.paths.push(path.clone());
                self.paths.len() - 1
            })
    }

    /// What the holes of a route name.
    fn read(&mut self, route: &mut Route, lookup: Option<&LookupSection>) -> Result<(), String> {
        for hole in &route.path.holes {
            route.hits.push(self.hit(hole, None, lookup)?);
        }
        for (name, pattern) in &route.query {
            let hits = pattern
                .holes
                .iter()
                .map(|hole| self.hit(hole, Some(name), lookup));
            route.query_hits.push(hits.collect::<Result<_, _>>()?);
        }
        for (_, pattern) in &route.body {
            let hits = pattern.holes.iter();
            let hits = hits.map(|hole| self.hit(hole, None, lookup));
            route.body_hits.push(hits.collect::<Result<_, _>>()?);
        }
        Ok(())
    }

    /// Whether a path is one of the fields.
    fn is_field(&self, path: &Path) -> bool {
        let mut fields = self.target.fields.iter();
        fields.any(|(name, _)| Path::parse(name).is_ok_and(|field| field == *path))
    }

    /// What a hole names; `param`: the query parameter it stands in; `lookup`: the section, whose
    /// `where` tells the field of a hole too.
    fn hit(
        &mut self,
        hole: &Hole,
        param: Option<&str>,
        lookup: Option<&LookupSection>,
    ) -> Result<Hit, String> {
        let folds = hole.folds;
        if let Some((path, holes)) = self.natural.clone()
            && holes.iter().any(|h| h.whole == hole.whole)
        {
            let index = self.of(&path);
            return Ok(Hit::Field { index, folds });
        }
        // A match may show a field under another name than the record's own.
        let own = Path::parse(&hole.name)?;
        for (written, template) in lookup.iter().flat_map(|section| &section.where_) {
            if !self.is_field(&own)
                && Pattern::text(template)?
                    .holes
                    .iter()
                    .any(|h| h.whole == hole.whole)
            {
                let index = self.of(&Path::parse(written)?);
                return Ok(Hit::Field { index, folds });
            }
        }
        let written = match hole.name.as_str() {
            "id" => return Ok(Hit::Id),
            "address" if !self.target.fields.iter().any(|(name, _)| name == "address") => {
                return Ok(Hit::Address);
            }
            "address" if param.is_none() => return Ok(Hit::Address),
            "key" => self.target.key_field.as_deref().or(param).unwrap_or("key"),
            name => name.strip_prefix("record.").unwrap_or(name),
        };
        let path = Path::parse(written)?;
        let index = self.of(&path);
        Ok(Hit::Field { index, folds })
    }
}

impl Play {
    pub(super) fn new(
        target: &TargetFile,
        token_lifetime: u64,
        definitions: Option<&[Definition]>,
    ) -> Result<Self, String> {
        let base = base_path(&target.base_url)?;
        let create = &target.create;
        let schema = Schema::new(target, definitions)?;
        let natural = create
            .natural_key
            .as_ref()
            .map(|key| {
                Ok::<_, String>((
                    Path::parse(&key.field)?,
                    Pattern::text(&key.template)?.holes,
                ))
            })
            .transpose()?;
        let address = create.address.as_deref().map(Path::parse).transpose()?;
        let address_field = address
            .as_ref()
            .and_then(|path| path.0.last())
            .map(|step| Path(vec![step.clone()]))
            .filter(|path| schema.knows(path));
        let mut indexes = Indexes {
            target,
            paths: Vec::new(),
            natural: natural.clone(),
            address_field: address_field.clone(),
        };
        let mut routes = Routes {
            base: &base,
            all: Vec::new(),
        };
        let uniques = uniques(target, natural.as_ref().map(|(path, _)| path), &mut indexes)?;

        routes.add(
            &create.method,
            "POST",
            &create.path,
            &create.query,
            Action::Create,
        )?;
        let batch = match &create.batch {
            None => None,
            Some(section) => {
                let path = section.path.as_ref().unwrap_or(&create.path);
                let method = section.method.clone().or_else(|| create.method.clone());
                let query = if section.query.is_empty() {
                    &create.query
                } else {
                    &section.query
                };
                routes.add(&method, "POST", path, query, Action::Batch)?;
                Some(Batch::new(section, create)?)
            }
        };
        let mut lookups = Vec::new();
        for (place, section) in target.lookup.iter().enumerate() {
            let action = Action::Lookup(place);
            routes.add(
                &section.method,
                "GET",
                &section.path,
                &section.query,
                action,
            )?;
            if let (Some(body), Some(route)) = (&section.body, routes.all.last_mut()) {
                leaves(
                    &toml::Value::Table(body.clone()),
                    &Path::default(),
                    &mut route.body,
                )?;
            }
            let mut shows = Vec::new();
            for (written, template) in &section.where_ {
                if let [hole] = Pattern::text(template)?.holes.as_slice() {
                    shows.push((Path::parse(written)?, Path::parse(&hole.name)?));
                }
            }
            lookups.push(Lookup {
                results: some_path(&section.results)?,
                // A posted search says by itself what must be equal.
                search: !section.where_.is_empty() && section.body.is_none(),
                id: path_or_id(section.id.as_deref())?,
                address: section.address.as_deref().map(Path::parse).transpose()?,
                record: Path::parse(&section.record)?,
                shows,
            });
        }
        let list = match &target.list {
            None => None,
            Some(section) => {
                let (method, path) = (&section.method, &section.path);
                routes.add(method, "GET", path, &section.query, Action::List)?;
                Some(List {
                    results: Path::parse(&section.results)?,
                    id: path_or_id(section.id.as_deref())?,
                    address: section.address.as_deref().map(Path::parse).transpose()?,
                    turn: Turn::new(section.paging.as_ref())?,
                    paging: section.paging.clone(),
                })
            }
        };
        let mut read = Path::default();
        if let Some(section) = &target.read {
            let query = Vec::new();
            routes.add(&section.method, "GET", &section.path, &query, Action::Read)?;
            read = Path::parse(&section.record)?;
        }
        let mut update = None;
        let mut unreadable = Vec::new();
        if let Some(section) = &target.update {
            let (method, path) = (&section.method, &section.path);
            routes.add(method, "PATCH", path, &section.query, Action::Update)?;
            let paths = |list: &[String]| {
                list.iter()
                    .map(|t| Path::parse(t))
                    .collect::<Result<_, _>>()
            };
            unreadable = paths(&section.unreadable)?;
            let keyed = section.keyed.as_deref().map(Path::parse).transpose()?;
            update = Some(Update {
                mode: section.mode,
                keyed: keyed.map(|path| {
                    let index = indexes.of(&path);
                    (path, index)
                }),
                missing: section.missing.first().copied().unwrap_or(404),
                never: paths(&section.never)?,
                success: section.success.first().copied().unwrap_or(200),
            });
        }
        let mut deleted = 204;
        if let Some(section) = &target.delete {
            let query = Vec::new();
            routes.add(
                &section.method,
                "DELETE",
                &section.path,
                &query,
                Action::Delete,
            )?;
            deleted = section.success.first().copied().unwrap_or(204);
        }
        let mut account = None;
        if let Some(custom) = &target.custom
            && let Some(section) = &custom.discover
        {
            let (method, path) = (&section.method, &section.path);
            routes.add(method, "GET", path, &section.query, Action::Discover)?;
            if let Some(options) = &section.options
                && let Some(path) = &options.path
            {
                routes.add(&None, "GET", path, &Vec::new(), Action::DiscoverOptions)?;
            }
            account = Some(Account::new(custom, section, definitions)?);
        }
        for route in &mut routes.all {
            let lookup = match route.action {
                // What a record is made of names no record that is there.
                Action::Create | Action::Batch | Action::Discover | Action::DiscoverOptions => {
                    continue;
                }
                Action::Lookup(place) => target.lookup.get(place),
                _ => None,
            };
            indexes.read(route, lookup)?;
        }
        let address_field = indexes.address_field.clone().map(|path| {
            let index = indexes.of(&path);
            (path, index)
        });
        // A fixed path is meant before one with holes that could give it too, and what asks for
        // more before what asks for less.
        routes.all.sort_by_key(|route| {
            let asks = route.query.len() + route.body.len();
            (!route.path.is_fixed(), Reverse(asks))
        });
        Ok(Self {
            auth: Auth::new(target, &base, token_lifetime)?,
            shapes: Shapes::new(&target.errors)?,
            limit_headers: target.limits.headers.clone(),
            form: create.body,
            wrap: Path::parse(create.wrap.as_deref().unwrap_or_default())?,
            constants: object(&create.constants),
            created: create.success.first().copied().unwrap_or(201),
            ok: create.ok.as_deref().map(Path::parse).transpose()?,
            id: path_or_id(create.id.as_deref())?,
            address,
            address_field,
            idempotency_header: create.idempotency_header.clone(),
            natural: natural.map(|(path, _)| path),
            uniques,
            batch,
            search: lookups.iter().any(|lookup| lookup.search),
            lookups,
            list,
            read,
            update,
            unreadable,
            deleted,
            account,
            indexed: indexes.paths,
            routes: routes.all,
            schema,
            base,
        })
    }

    /// Ids are numbers, unless what names a record is another thing than its id.
    pub(super) fn numeric_ids(&self) -> bool {
        self.address.is_none() && self.natural.is_none()
    }
}

struct Routes<'t> {
    base: &'t str,
    all: Vec<Route>,
}

impl Routes<'_> {
    fn add(
        &mut self,
        method: &Option<String>,
        default: &str,
        path: &str,
        query: &Ordered<String>,
        action: Action,
    ) -> Result<(), String> {
        let (path, written) = path.split_once('?').unwrap_or((path, ""));
        let mut patterns = Vec::new();
        for part in written.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            patterns.push((name.to_owned(), Pattern::text(value)?));
        }
        for (name, value) in query {
            patterns.push((name.clone(), Pattern::text(value)?));
        }
        let path = format!("{}/{}", self.base, path.trim_start_matches('/'));
        self.all.push(Route {
            method: method.as_deref().unwrap_or(default).to_ascii_uppercase(),
            path: Pattern::path(&path)?,
            query: patterns,
            action,
            hits: Vec::new(),
            query_hits: Vec::new(),
            body: Vec::new(),
            body_hits: Vec::new(),
        });
        Ok(())
    }
}

fn uniques(
    target: &TargetFile,
    natural: Option<&Path>,
    indexes: &mut Indexes<'_>,
) -> Result<Vec<Unique>, String> {
    let create = &target.create;
    let mut uniques: Vec<Unique> = Vec::new();
    if let Some(path) = natural {
        let matcher = create.exists.first();
        let of_another = matcher
            .and_then(|m| m.field.as_deref())
            .map(Path::parse)
            .transpose()?;
        let fits = of_another.as_ref().is_none_or(|field| field == path);
        uniques.push(Unique {
            path: path.clone(),
            index: indexes.of(path),
            exists: Exists::new(matcher.filter(|_| fits))?,
            named: fits && of_another.is_some(),
        });
    }
    // An answer that names a field says that this field is kept unique.
    for matcher in &create.exists {
        let Some(field) = &matcher.field else {
            continue;
        };
        let path = Path::parse(field)?;
        if uniques.iter().all(|unique| unique.path != path) {
            uniques.push(Unique {
                index: indexes.of(&path),
                path,
                exists: Exists::new(Some(matcher))?,
                named: true,
            });
        }
    }
    Ok(uniques)
}

/// The texts of a body, by their places.
fn leaves(value: &toml::Value, at: &Path, all: &mut Vec<(Path, Pattern)>) -> Result<(), String> {
    match value {
        toml::Value::String(text) => all.push((at.clone(), Pattern::text(text)?)),
        toml::Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                leaves(item, &at.join(&Path(vec![Step::Index(place)])), all)?;
            }
        }
        toml::Value::Table(table) => {
            for (key, item) in table {
                leaves(item, &at.join(&Path::key(key.as_str())), all)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn some_path(text: &str) -> Result<Option<Path>, String> {
    Ok(Some(Path::parse(text)?).filter(|path| !path.is_empty()))
}

fn path_or_id(text: Option<&str>) -> Result<Path, String> {
    let path = Path::parse(text.unwrap_or("id"))?;
    Ok(if path.is_empty() {
        Path(vec![Step::Key("id".into())])
    } else {
        path
    })
}

/// The path part of the target's base, without a slash at its end.
fn base_path(base: &str) -> Result<String, String> {
    if base.is_empty() {
        return Ok(String::new());
    }
    let url = url::Url::parse(base).map_err(|error| format!("base_url `{base}`: {error}"))?;
    Ok(url.path().trim_end_matches('/').to_owned())
}
