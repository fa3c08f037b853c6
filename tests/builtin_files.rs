//! The files that come with the program – target files, mappings, examples of the docs – are read by
//! their own grammar, and each fact about a vendor says where it comes from.
#![allow(clippy::unwrap_used)] // the functions here are parts of tests

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rowferry::document::Document;
use rowferry::issue::TextFile;
use rowferry::mapping::{self, file::TestSection};
use rowferry::target::file::TargetFile;
use toml::Spanned;

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    files.sort();
    files
}

fn text_file(path: &Path) -> Arc<TextFile> {
    Arc::new(TextFile {
        name: path.display().to_string(),
        text: fs::read_to_string(path).unwrap(),
    })
}

#[test]
fn every_builtin_target_file_is_read_without_a_mistake() {
    let mut names = Vec::new();
    for path in files("src/target/builtin") {
        let file = text_file(&path);
        let (document, mistakes) = Document::parse(&file);
        assert!(mistakes.is_empty(), "{mistakes:#?}");
        let (target, mistakes) = document.read::<TargetFile>();
        assert!(mistakes.is_empty(), "{mistakes:#?}");
        let target = target.unwrap();
        assert!(target.base_url.starts_with("https://"), "{}", file.name);
        assert!(!target.auth.is_empty(), "{}", file.name);
        assert!(!target.errors.is_empty(), "{}", file.name);
        assert!(
            target.fields.iter().any(|(_, field)| field.required),
            "{}",
            file.name
        );
        names.push(path.file_stem().unwrap().to_string_lossy().into_owned());
    }
    assert_eq!(
        names,
        [
            "assembly-companies",
            "assembly",
            "cirqll",
            "flextell",
            "kaiten",
            "sphinx"
        ]
    );
}

#[test]
fn a_pace_that_no_vendor_published_is_not_invented() {
    for path in files("src/target/builtin") {
        let file = text_file(&path);
        let target = Document::parse(&file).0.read::<TargetFile>().0.unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let rate = target.limits.rate.map(|rate| rate.values);
        if name.starts_with("assembly") {
            assert_eq!(rate.as_deref(), Some(&["20/s".to_owned()][..]), "{name}");
            assert!(!target.limits.assumed, "{name}");
        } else {
            assert_eq!(rate, None, "{name}");
            assert!(target.limits.assumed, "{name}");
        }
        assert!(file.text.contains("# documented: "), "{name}");
        assert!(file.text.contains("# assumed"), "{name}");
    }
}

fn header(sample: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(sample);
    let mut reader = csv::Reader::from_path(path).unwrap();
    let names = reader.headers().unwrap();
    names.iter().map(str::to_owned).collect()
}

#[test]
fn every_mapping_is_read_and_names_columns_of_its_sample() {
    let mut targets = Vec::new();
    for path in files("mappings") {
        let (mapping, mistakes) = mapping::load(&path);
        assert!(mistakes.is_empty(), "{mistakes:#?}");
        let mapping = mapping.unwrap();
        let name = path.display();
        let target = mapping.head.target.unwrap().into_inner();
        assert_eq!(
            path.file_stem().unwrap().to_string_lossy(),
            target,
            "a mapping of ours is named for its target"
        );
        let mut columns = mapping.head.row.key.unwrap().into_inner().columns;
        for rule in mapping.rules.into_iter().flat_map(|field| field.rules) {
            columns.extend(rule.region_from);
            columns.extend(
                rule.column
                    .map(|column| column.into_inner().values)
                    .unwrap_or_default(),
            );
            if let Some(lookup) = rule.lookup {
                let table = path.with_file_name(&lookup.get_ref().file);
                assert!(table.exists(), "{} of {name}", table.display());
            }
        }
        let mut columns: Vec<_> = columns.into_iter().map(Spanned::into_inner).collect();
        let refused = |test: &TestSection| test.issues.is_some();
        assert!(mapping.head.test.iter().any(refused), "{name}");
        assert!(!mapping.head.test.iter().all(refused), "{name}");
        for test in &mapping.head.test {
            columns.extend(test.row.get_ref().keys().cloned());
        }
        let known = header(match target.as_str() {
            "assembly-companies" => "samples/companies.csv",
            _ => "samples/customers.csv",
        });
        for column in columns {
            assert!(known.contains(&column), "{column} in {name}");
        }
        targets.push(target);
    }
    targets.sort();
    let known: Vec<_> = files("src/target/builtin")
        .iter()
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(targets.len(), known.len());
    assert!(known.iter().all(|target| targets.contains(target)));
}

/// The TOML blocks of a page.
fn blocks(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = fs::read_to_string(path).unwrap();
    text.split("```toml\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect()
}

#[test]
fn the_examples_of_the_docs_are_read() {
    let pages = ["README.md", "docs/mapping.md", "docs/targets.md"];
    let (mut mappings, mut targets) = (0, 0);
    for (page, block) in pages
        .iter()
        .flat_map(|page| blocks(page).into_iter().map(move |block| (page, block)))
    {
        if block.contains("\ntarget = ") || block.starts_with("target = ") {
            let (_, mistakes) = mapping::parse(page, Path::new(page), block);
            assert!(mistakes.is_empty(), "{mistakes:#?}");
            mappings += 1;
            continue;
        }
        let file = Arc::new(TextFile {
            name: (*page).to_owned(),
            text: block,
        });
        let (document, mistakes) = Document::parse(&file);
        assert!(mistakes.is_empty(), "{mistakes:#?}");
        if page.contains("targets") {
            let (_, mistakes) = document.read::<TargetFile>();
            assert!(mistakes.is_empty(), "{mistakes:#?}");
            targets += 1;
        }
    }
    assert!(mappings >= 2 && targets >= 2, "{mappings} {targets}");
}
