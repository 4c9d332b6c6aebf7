//! The guarantees page names only tests that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::TestResult;

const TARGETS: [(&str, &str); 6] = [
    ("behaviour", "mod.rs"),
    ("no_database", "main.rs"),
    ("sqlite", "main.rs"),
    ("postgres", "main.rs"),
    ("postgres_async", "main.rs"),
    ("citus", "main.rs"),
];

#[test]
fn every_guarantee_names_one_test_that_exists() -> TestResult {
    let page = include_str!("../../docs/guarantees.md");
    // Every second part of the text is between backticks.
    let code = page.split('`').skip(1).step_by(2);
    let paths = code.filter_map(|code| code.split_once("::"));
    // `file::name` explains the notation, and the variants of a type begin with a capital letter.
    let named = paths.filter(|path| *path != ("file", "name") && path.0.starts_with(char::is_lowercase));
    let named = named.collect::<BTreeSet<_>>();
    assert!(named.len() > 40, "{}", named.len());
    for (file, test) in named {
        let mut found = 0;
        for (folder, root) in TARGETS {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
            let path = [folder.join(file).with_extension("rs"), folder.join(file).join("mod.rs")];
            let path = path.into_iter().find(|path| path.exists());
            if let Some(path) = path
                && fs::read_to_string(folder.join(root))?.contains(&format!("mod {file};"))
            {
                let source = fs::read_to_string(&path)?;
                let Some((before, _)) = source.split_once(&format!("fn {test}(")) else { continue };
                // The attributes of a function follow an empty line.
                let attributes = before.rsplit("\n\n").next().unwrap_or_default();
                found += usize::from(["#[test]", "#[tokio::test"].iter().any(|test| attributes.contains(test)));
            }
        }
        // The tests of two databases may share a name.
        assert!(found > 0, "{file}::{test}");
    }
    Ok(())
}
