//! The commands and examples of the documents, tried out on a copy of samples and mappings.
#![allow(clippy::unwrap_used)] // the functions here are parts of tests

mod common;

use std::path::Path;

use common::served::Served;
use common::{Bench, project};

fn document(name: &str) -> String {
    std::fs::read_to_string(project(name)).unwrap()
}

/// The fenced blocks of this language.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in document.lines() {
        match (&mut block, line.strip_prefix("```")) {
            (None, Some(name)) if name == language => block = Some(String::new()),
            (Some(_), Some(_)) => blocks.extend(block.take()),
            (Some(text), None) => {
                text.push_str(line);
                text.push('\n');
            }
            _ => {}
        }
    }
    assert!(block.is_none(), "a block without an end");
    blocks
}

/// What stands between backticks in running text, blocks and tables left out.
fn spans(document: &str) -> Vec<String> {
    let mut fenced = false;
    let mut spans = Vec::new();
    for line in document.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if !fenced && !line.starts_with('|') {
            spans.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    spans
}

/// The arguments of a command line of ours, if it is one and holds no placeholder.
fn arguments(line: &str) -> Option<Vec<&str>> {
    let rest = line
        .strip_prefix("cargo run --release -- ")
        .or_else(|| line.strip_prefix("rowferry "))?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    let placeholder = |word: &&str| word.chars().all(|c| c.is_ascii_uppercase());
    (!words.iter().any(placeholder)).then_some(words)
}

fn copy(from: &Path, bench: &Bench, folder: &str) {
    std::fs::create_dir_all(bench.path().join(folder)).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = bench.path().join(folder).join(entry.file_name());
        std::fs::copy(entry.path(), to).unwrap();
    }
}

/// Samples and mappings as they come, and the spreadsheet and mapping of the README's reader.
fn workplace(readme: &str) -> Bench {
    let bench = Bench::new();
    copy(&project("samples"), &bench, "samples");
    copy(&project("mappings"), &bench, "mappings");
    let mapping = blocks(readme, "toml").remove(0);
    assert!(mapping.contains("target = \"kaiten\""), "{mapping}");
    bench.file("clients.toml", &mapping);
    let mut text = String::from("Customer Id,Company,Phone\n");
    for number in 1..=8 {
        text.push_str(&format!("{number:04},Company {number},\n"));
    }
    bench.file("clients.csv", &text);
    bench
}

#[test]
fn the_commands_of_the_readme_do_what_it_says() {
    let readme = document("README.md");
    let bench = workplace(&readme);
    let mut lines: Vec<String> = blocks(&readme, "sh")
        .iter()
        .flat_map(|block| block.lines())
        .map(str::to_owned)
        .collect();
    let in_blocks = lines
        .iter()
        .filter(|line| arguments(line).is_some())
        .count();
    lines.extend(spans(&readme));
    let commands: Vec<Vec<&str>> = lines.iter().filter_map(|line| arguments(line)).collect();
    assert!(
        in_blocks >= 5 && commands.len() >= in_blocks + 6,
        "{commands:?}"
    );

    let mut sent = Vec::new();
    for words in commands {
        let real = words[0] == "import" && !words.contains(&"--sandbox");
        let sandbox = real.then(|| {
            let target = match words.contains(&"mappings/assembly-companies.toml") {
                true => "assembly-companies",
                false => "kaiten",
            };
            Served::start(&bench, &[target])
        });
        let mut all = words.clone();
        if real {
            all.push("--json");
        }
        let mut variables = vec![("KAITEN_TOKEN", "secret"), ("ASSEMBLY_API_KEY", "secret")];
        if let Some(sandbox) = &sandbox {
            variables.push(("ROWFERRY_BASE_URL", &sandbox.base_url));
        }
        let ran = bench.run_with(&variables, &all);
        let code = i32::from(words.contains(&"samples/customers-messy.xlsx"));
        let ran = ran.expect(code);
        if real {
            let summary = ran.json();
            let created = summary["fates"]["created"].as_u64().unwrap();
            sent.push((words.join(" "), created));
        }
    }
    let first = "import clients.csv --mapping clients.toml --first 5".to_owned();
    assert!(sent.contains(&(first, 5)), "{sent:?}");
    let companies = sent
        .iter()
        .find(|(command, _)| command.contains("companies.csv"));
    assert!(
        companies.is_some_and(|(_, created)| *created > 5),
        "{sent:?}"
    );

    // "imports some 300 invented customers of 27 countries"
    let mut customers = csv::Reader::from_path(bench.path().join("samples/customers.csv")).unwrap();
    let header = customers.headers().unwrap().clone();
    let country = header.iter().position(|name| name == "Country").unwrap();
    let rows: Vec<csv::StringRecord> = customers.records().map(Result::unwrap).collect();
    // Some rows have the country's code in place of its name.
    let countries: std::collections::BTreeSet<&str> = rows
        .iter()
        .map(|row| &row[country])
        .filter(|name| name.len() > 2)
        .collect();
    assert!((280..=330).contains(&rows.len()), "{}", rows.len());
    assert_eq!(countries.len(), 27, "{countries:?}");

    // "the clients look their ids up in the results of that import"
    let lookup = blocks(&readme, "toml")
        .into_iter()
        .find(|block| block.contains("companies.results.csv"))
        .unwrap();
    let line = lookup
        .lines()
        .find(|line| line.starts_with("companyId"))
        .unwrap();
    let mapping: String = bench
        .read("mappings/assembly.toml")
        .split("[[test]]")
        .next()
        .unwrap()
        .lines()
        .map(|old| {
            if old.starts_with("companyId") {
                line
            } else {
                old
            }
        })
        .map(|line| format!("{line}\n"))
        .collect();
    bench.file("mappings/assembly-by-results.toml", &mapping);
    let mapping = "mappings/assembly-by-results.toml";
    bench
        .run(&["check", "samples/customers.csv", "-m", mapping])
        .expect(0);
    let bodies = bench.run(&[
        "preview",
        "samples/customers.csv",
        "-m",
        mapping,
        "-n",
        "400",
    ]);
    let found = bodies
        .stdout
        .lines()
        .filter(|line| line.contains("\"companyId\""))
        .count();
    assert!(found > 50, "{found}");
}

#[test]
fn the_second_import_sends_what_the_first_left() {
    let readme = document("README.md");
    let bench = workplace(&readme);
    let sandbox = Served::start(&bench, &["kaiten"]);
    let variables = [
        ("KAITEN_TOKEN", "secret"),
        ("ROWFERRY_BASE_URL", sandbox.base_url.as_str()),
    ];
    let block = blocks(&readme, "sh")
        .into_iter()
        .find(|block| block.contains("export KAITEN_TOKEN"))
        .unwrap();
    let created: Vec<u64> = block
        .lines()
        .filter_map(arguments)
        .map(|mut words| {
            words.push("--json");
            let summary = bench.run_with(&variables, &words).expect(0).json();
            summary["fates"]["created"].as_u64().unwrap()
        })
        .collect();
    assert_eq!(created, [5, 3]);
    let again = ["import", "clients.csv", "-m", "clients.toml", "--json"];
    let summary = bench.run_with(&variables, &again).expect(0).json();
    assert_eq!(summary["fates"]["unchanged"], 8);
    assert_eq!(summary["requests"]["sent"], 0);
}

#[test]
fn what_the_readme_names_is_there() {
    let readme = document("README.md");
    for (_, rest) in readme
        .match_indices("](")
        .map(|(at, _)| readme.split_at(at + 2))
    {
        let link = rest.split(')').next().unwrap();
        if !link.contains("://") {
            assert!(project(link).exists(), "{link}");
        }
    }
    let bench = Bench::new();
    let help = bench.run(&["--help"]).expect(0).stdout;
    let import = bench.run(&["import", "--help"]).expect(0).stdout;
    let commands = readme.split("## Commands").nth(1).unwrap();
    let commands = commands.split("| exit code").next().unwrap();
    for line in commands
        .lines()
        .filter(|line| line.starts_with("| `rowferry"))
    {
        let name = line
            .trim_start_matches("| `rowferry ")
            .split([' ', '`'])
            .next()
            .unwrap();
        assert!(help.contains(&format!("  {name} ")), "{name}");
        if name == "import" {
            for option in line.split('`').filter(|span| span.starts_with("--")) {
                let option = option.split(' ').next().unwrap();
                assert!(import.contains(option), "{option}");
            }
        }
    }
    let targets = bench.run(&["targets"]).expect(0).stdout;
    let table = readme.split("## The targets").nth(1).unwrap();
    for line in targets.lines() {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap();
        assert!(table.contains(&format!("`{name}`")), "{name}");
        words.next();
        for variable in words {
            let variable = variable.trim_matches(|c: char| !c.is_ascii_alphanumeric());
            if variable.contains('_') {
                assert!(table.contains(&format!("`{variable}`")), "{variable}");
            }
        }
    }
}

#[test]
fn the_target_files_of_the_documents_load() {
    let bench = Bench::new();
    let whole: Vec<String> = blocks(&document("docs/targets.md"), "toml")
        .into_iter()
        .filter(|block| block.contains("base_url"))
        .collect();
    assert!(whole.len() >= 2);
    for (number, block) in whole.iter().enumerate() {
        let name = format!("t{number}.target.toml");
        bench.file(&name, block);
        bench.run(&["targets", "check", &name]).expect(0);
    }
}
