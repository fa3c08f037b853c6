//! A target file read as what a server does: its routes, what each takes and how each answers.

use std::cmp::Reverse;

use serde_json::{Map, Value};

use super::auth::Auth;
use super::batch::Batch;
use super::pattern::{Hole, Pattern};
use super::refuse::{Exists, Shapes};
use super::schema::Schema;
use super::value::object;
use crate::path::{Path, Step};
use crate::target::file::{BodyForm, LimitHeaders, Ordered, Paging, TargetFile, UpdateMode};

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
}

/// `[list]`.
#[derive(Debug)]
pub(super) struct List {
    pub(super) results: Path,
    pub(super) id: Path,
    pub(super) address: Option<Path>,
    pub(super) paging: Option<Paging>,
    pub(super) next: Option<Path>,
    pub(super) last: Option<Path>,
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
    pub(super) discover: Path,
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
    fn read(&mut self, route: &mut Route, wheres: &Ordered<String>) -> Result<(), String> {
        for hole in &route.path.holes {
            route.hits.push(self.hit(hole, None, wheres)?);
        }
        for (name, pattern) in &route.query {
            let hits = pattern
                .holes
                .iter()
                .map(|hole| self.hit(hole, Some(name), wheres));
            route.query_hits.push(hits.collect::<Result<_, _>>()?);
        }
        Ok(())
    }

    /// What a hole names; `param`: the query parameter it stands in; `wheres`: what must equal in
    /// a match, whose templates tell the field of a hole too.
    fn hit(
        &mut self,
        hole: &Hole,
        param: Option<&str>,
        wheres: &Ordered<String>,
    ) -> Result<Hit, String> {
        let folds = hole.folds;
        if let Some((path, holes)) = self.natural.clone()
            && holes.iter().any(|h| h.whole == hole.whole)
        {
            let index = self.of(&path);
            return Ok(Hit::Field { index, folds });
        }
        for (written, template) in wheres {
            if Pattern::text(template)?
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
    pub(super) fn new(target: &TargetFile, token_lifetime: u64) -> Result<Self, String> {
        let base = base_path(&target.base_url)?;
        let create = &target.create;
        let schema = Schema::new(target)?;
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
            lookups.push(Lookup {
                results: some_path(&section.results)?,
                search: !section.where_.is_empty(),
                id: path_or_id(section.id.as_deref())?,
                address: section.address.as_deref().map(Path::parse).transpose()?,
            });
        }
        let list = match &target.list {
            None => None,
            Some(section) => {
                let (method, path) = (&section.method, &section.path);
                routes.add(method, "GET", path, &section.query, Action::List)?;
                let paging = section.paging.clone();
                let of = |text: Option<&String>| text.map(|t| Path::parse(t)).transpose();
                Some(List {
                    results: Path::parse(&section.results)?,
                    id: path_or_id(section.id.as_deref())?,
                    address: section.address.as_deref().map(Path::parse).transpose()?,
                    next: of(paging.as_ref().and_then(|p| p.next.as_ref()))?,
                    last: of(paging.as_ref().and_then(|p| p.last.as_ref()))?,
                    paging,
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
        let mut discover = Path::default();
        if let Some(section) = target.custom.as_ref().and_then(|c| c.discover.as_ref()) {
            let method = None;
            routes.add(
                &method,
                "GET",
                &section.path,
                &section.query,
                Action::Discover,
            )?;
            discover = Path::parse(&section.results)?;
        }
        let no_wheres = Vec::new();
        for route in &mut routes.all {
            let wheres = match route.action {
                // What a record is made of names no record that is there.
                Action::Create | Action::Batch => continue,
                Action::Lookup(place) => target.lookup.get(place).map(|section| &section.where_),
                _ => None,
            };
            indexes.read(route, wheres.unwrap_or(&no_wheres))?;
        }
        let address_field = indexes.address_field.clone().map(|path| {
            let index = indexes.of(&path);
            (path, index)
        });
        // A fixed path is meant before one with holes that could give it too, and what asks for
        // more before what asks for less.
        routes
            .all
            .sort_by_key(|route| (!route.path.is_fixed(), Reverse(route.query.len())));
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
            discover,
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
