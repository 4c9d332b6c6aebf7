//! The page of guarantees names tests that exist.

mod support;

use std::collections::BTreeSet;
use std::fs;

use support::TestResult;

#[test]
fn every_guarantee_names_a_test_that_exists() -> TestResult {
    let page = include_str!("../docs/guarantees.md");
    // What stands between backticks is every second part.
    let code = page.split('`').skip(1).step_by(2);
    let paths = code.filter_map(|code| code.split_once("::"));
    // The first explains the form; a type's variants begin with a capital.
    let named = paths.filter(|path| *path != ("file", "name") && path.0.starts_with(char::is_lowercase));
    let named = named.collect::<BTreeSet<_>>();
    assert!(named.len() > 40, "{}", named.len());
    for (file, test) in named {
        let path = format!("{}/tests/{file}.rs", env!("CARGO_MANIFEST_DIR"));
        let source = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        assert!(source.contains(&format!("fn {test}(")), "tests/{file}.rs has no {test}");
    }
    Ok(())
}
