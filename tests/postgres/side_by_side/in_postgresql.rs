//! Asks a log in PostgreSQL.

#[path = "../../behaviour/model/ask.rs"]
mod ask;

use activity_log::postgres::ActivityLogRepository;
use diesel::PgConnection as Connection;

pub(super) use self::ask::{ask, catch_up};
