//! A UTF-16 database stores the same texts as a UTF-8 database, except for two characters.

use activity_log::{ActivityLogFilters, ActivityLogRepository, Error, NewActivityLogEntry};
use diesel::connection::SimpleConnection;

use crate::support::{TestResult, everything, numbered, read_back, seqs};

#[test]
fn a_utf_16_database_stores_two_noncharacters_as_replacement_characters() -> TestResult {
    let mut conn = activity_log::connect(":memory:")?;
    conn.batch_execute("PRAGMA encoding = 'UTF-16'")?;
    activity_log::run_migrations(&mut conn)?;
    let mut log = ActivityLogRepository::new(&mut conn);

    let text = "é\u{FEFF}\u{10FFFF}\u{1FFFE}\u{FFFE}\u{FFFF}";
    let stored = "é\u{FEFF}\u{10FFFF}\u{1FFFE}\u{FFFD}\u{FFFD}";
    let entry = |text: &str| {
        let about = NewActivityLogEntry::new(text, text, text, text).id(text).ts(numbered(1).ts);
        about.entity(text, text).entity_name(text).metadata_value(text, text)
    };
    log.record(&entry(text))?;
    assert_eq!(log.query(&everything(), None, 9)?, [read_back(entry(stored), 1)]);

    // The recorded text still finds the entry, and its id is still taken.
    for filters in [
        ActivityLogFilters { categories: vec![text.into()], ..everything() },
        ActivityLogFilters { actor: Some(text.to_owned()), ..everything() },
        ActivityLogFilters { entity_type: Some(text.to_owned()), ..everything() },
        ActivityLogFilters { entity_id: Some(text.to_owned()), ..everything() },
        ActivityLogFilters { message_contains: Some(text.to_owned()), ..everything() },
    ] {
        assert_eq!(log.count(&filters)?, 1, "{filters:?}");
    }
    assert!(matches!(log.record(&entry(text)), Err(Error::DuplicateId { index: 0 })));
    Ok(())
}

#[test]
fn the_beginning_of_an_action_is_compared_by_characters_in_any_encoding() -> TestResult {
    for encoding in ["UTF-16le", "UTF-16be", "UTF-8"] {
        let mut conn = activity_log::connect(":memory:")?;
        conn.batch_execute(&format!("PRAGMA encoding = '{encoding}'"))?;
        activity_log::run_migrations(&mut conn)?;
        let mut log = ActivityLogRepository::new(&mut conn);
        for (number, action) in (1..).zip(["user.created", "user\u{12E}x", "user/x", "user", "user."]) {
            log.record(&NewActivityLogEntry { action: action.to_owned(), ..numbered(number) })?;
        }
        let of_users = vec!["user.*".to_owned()];
        let found = log.query(&ActivityLogFilters { actions: of_users.clone(), ..everything() }, None, 9)?;
        assert_eq!(seqs(&found), [5, 1], "{encoding}");
        let others = log.query(&ActivityLogFilters { exclude_actions: of_users, ..everything() }, None, 9)?;
        assert_eq!(seqs(&others), [4, 3, 2], "{encoding}");
    }
    Ok(())
}
