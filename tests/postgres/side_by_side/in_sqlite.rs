//! Asks a log in SQLite.

#[path = "../../behaviour/model/ask.rs"]
mod ask;

use activity_log::ActivityLogRepository;
use diesel::SqliteConnection as Connection;

pub(super) use self::ask::{ask, catch_up};
