//! The page of guarantees names tests that exist.

mod support;

use std::collections::BTreeSet;
use std::fs;

use support::TestResult;

#[test]
fn every_guarantee_names_a_test_that_exists() -> TestResult {
    let page = include_str!("../docs/guarantees.md");
    // What stands between backticks is every second part.
    let named = page.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).collect::<BTreeSet<_>>();
    assert!(named.len() > 40, "{}", named.len());
    for (file, test) in named {
        if file == "file" {
            continue;
        }
        let path = format!("{}/tests/{file}.rs", env!("CARGO_MANIFEST_DIR"));
        let source = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        assert!(source.contains(&format!("fn {test}(")), "tests/{file}.rs has no {test}");
    }
    Ok(())
}
