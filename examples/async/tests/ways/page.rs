//! The page "In an async server" shows this package's code.

use std::path::Path;

use async_host::Result;

const PAGE: &str = include_str!("../../../../docs/async.md");

#[test]
fn every_snippet_of_the_page_is_code_of_this_package() -> Result<()> {
    let mut sources = Vec::new();
    for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))? {
        sources.push(std::fs::read_to_string(file?.path())?);
    }
    let mut snippets = 0;
    for part in PAGE.split("```rust\n").skip(1) {
        let (snippet, _) = part.split_once("```").ok_or("a snippet has no end")?;
        assert!(sources.iter().any(|source| source.contains(snippet)), "not in src/:\n{snippet}");
        snippets += 1;
    }
    assert!(snippets >= 6, "{snippets}");
    Ok(())
}
