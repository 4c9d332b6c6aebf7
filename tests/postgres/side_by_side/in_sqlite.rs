//! Asks a log in SQLite.

#[expect(clippy::duplicate_mod, reason = "the same questions, to another database")]
#[path = "../../behaviour/model/ask.rs"]
mod ask;

use activity_log::ActivityLogRepository;
use diesel::SqliteConnection as Connection;

pub(super) use self::ask::{ask, catch_up};
