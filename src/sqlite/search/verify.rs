//! Comparing the search index with the messages.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use crate::sqlite::search::index::{is_enabled, is_whole};
use crate::sqlite::search::term::proposes;

#[derive(QueryableByName)]
struct Sample {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Text)]
    trigram: String,
}

/// Whether the index is damaged, lacks a message that it should have, or fails to propose one of a sample of them.
pub(crate) fn is_wrong(conn: &mut SqliteConnection) -> QueryResult<bool> {
    if !is_enabled(conn)? {
        return Ok(false);
    }
    if !is_whole(conn)? || diesel::select(sql::<Bool>(LACKS_A_MESSAGE)).get_result(conn)? {
        return Ok(true);
    }
    for Sample { seq, trigram } in diesel::sql_query(SAMPLES).load(conn)? {
        if !proposes(conn, &trigram, seq)? {
            return Ok(true);
        }
    }
    Ok(false)
}

const LACKS_A_MESSAGE: &str = "EXISTS (SELECT 1 FROM activity_log_segments AS segment \
    JOIN activity_log ON seq BETWEEN segment.first_seq AND segment.first_seq + 4095 \
    WHERE segment.in_search AND NOT EXISTS (SELECT 1 FROM activity_log_search_docsize WHERE id = seq))";

/// One row in about a thousand, with the beginning of its message.
const SAMPLES: &str = "SELECT seq, substr(message, 1, 3) AS trigram FROM activity_log_segments AS segment \
    JOIN activity_log ON seq BETWEEN segment.first_seq AND segment.first_seq + 4095 \
    WHERE segment.in_search AND seq % 997 = 1 AND message GLOB '[A-Za-z0-9][A-Za-z0-9][A-Za-z0-9]*'";
