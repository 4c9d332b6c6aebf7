/// The versions of SQLite and the compared crates, on one line.
pub(crate) fn versions() -> String {
    let crates = ["rusqlite", "diesel", "sqlx", "sea-orm", "libsqlite3-sys"];
    let crates = crates.map(|name| format!("{name} {}", locked(name).unwrap_or("?")));
    format!("SQLite {}, {}", rusqlite::version(), crates.join(", "))
}

fn locked(name: &str) -> Option<&'static str> {
    let (_, package) = include_str!("../Cargo.lock").split_once(&format!("name = \"{name}\"\nversion = \""))?;
    package.split('"').next()
}
