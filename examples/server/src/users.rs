//! The server's users.

use std::error::Error;
use std::io::{IsTerminal, stdin};

use activity_log::{ActivityCategory, NewActivityLogEntry};
use activity_log_axum::{ApiError, Users, hash_password};
use any_database::Database;
use diesel::dsl::{exists, select};
use diesel::prelude::*;

diesel::table! {
    users (name) {
        name -> Text,
        password_hash -> Text,
    }
}

#[derive(Debug)]
pub(crate) struct StoredUsers(pub(crate) Database);

impl Users for StoredUsers {
    fn password_hash(&self, name: &str) -> Result<Option<String>, ApiError> {
        Ok(users::table.find(name).select(users::password_hash).first(&mut *self.0.get()?).optional()?)
    }

    fn is_empty(&self) -> Result<bool, ApiError> {
        Ok(!select(exists(users::table.select(users::name))).get_result::<bool>(&mut *self.0.get()?)?)
    }
}

/// Adds a user, or changes the password of one, as standard input says.
pub(crate) fn add(database: &Database, name: &str) -> Result<(), Box<dyn Error>> {
    let hash = hash_password(name, &read_password()?)?;
    Ok(database.transaction(|conn| {
        let hash = users::password_hash.eq(&hash);
        let is_known = diesel::update(users::table.find(name)).set(hash).execute(conn)? == 1;
        if !is_known {
            diesel::insert_into(users::table).values((users::name.eq(name), hash)).execute(conn)?;
        }
        let action = if is_known { "user.password_changed" } else { "user.added" };
        let entry = NewActivityLogEntry::here(ActivityCategory::Auth, action, format!("Set the password of {name}"));
        conn.record(&entry.entity("user", name).entity_name(name))?;
        Ok(())
    })?)
}

/// The first line of standard input. A terminal does not show it.
fn read_password() -> std::io::Result<String> {
    if stdin().is_terminal() {
        return rpassword::prompt_password("Password: ");
    }
    let mut line = String::new();
    stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
