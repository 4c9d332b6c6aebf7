//! An entity id is found under any type and without one.

use activity_log::{ActivityLogFilters, NewActivityLogEntry};

use crate::database::{ActivityLogRepository, Connection, empty_log};
use crate::support::{TestResult, everything, numbered, seqs};

pub(crate) fn id(id: &str) -> ActivityLogFilters {
    ActivityLogFilters { entity_id: Some(id.to_owned()), ..everything() }
}

/// The entry with this number, about the entity `7` with or without a type.
pub(crate) fn about_7(number: i64, entity_type: Option<&str>) -> NewActivityLogEntry {
    let entity_type = entity_type.map(str::to_owned);
    NewActivityLogEntry { entity_type, entity_id: Some("7".to_owned()), ..numbered(number) }
}

/// The entries that page, follow, export and count find for the id, oldest first. All four must agree.
pub(crate) fn found(conn: &mut Connection) -> TestResult<Vec<i64>> {
    let mut log = ActivityLogRepository::new(conn);
    let mut found = Vec::new();
    let mut before_seq = None;
    loop {
        let page = log.page(&id("7"), before_seq, 3)?;
        found.extend(seqs(&page.entries));
        before_seq = page.next_before_seq;
        if before_seq.is_none() {
            break;
        }
    }
    found.reverse();
    assert_eq!(seqs(&log.query_after(&id("7"), i64::MIN, 100)?), found);
    assert_eq!(seqs(&log.iter_export(&id("7"))?.collect::<Result<Vec<_>, _>>()?), found);
    assert_eq!(log.count(&id("7"))?, found.len() as u64);
    Ok(found)
}

#[test]
fn an_id_is_found_under_all_its_types_in_log_order() -> TestResult {
    let mut conn = empty_log()?;
    let types = ["lamp", "user", "lamp", "scene", "user", "", "lamp", "ユーザー"];
    for (number, name) in types.into_iter().enumerate() {
        let mut log = ActivityLogRepository::new(&mut conn);
        log.record(&about_7(number as i64, Some(name)))?;
        log.record(&numbered(100 + number as i64).entity(name, "8"))?;
    }
    assert_eq!(found(&mut conn)?, [1, 3, 5, 7, 9, 11, 13, 15]);
    Ok(())
}

#[test]
fn an_id_without_a_type_is_found_too() -> TestResult {
    let mut conn = empty_log()?;
    for (number, name) in [Some("lamp"), None, Some("user"), None, Some("lamp")].into_iter().enumerate() {
        ActivityLogRepository::new(&mut conn).record(&about_7(number as i64, name))?;
    }
    assert_eq!(found(&mut conn)?, [1, 2, 3, 4, 5]);
    Ok(())
}

#[test]
fn an_id_that_never_occurs_finds_nothing() -> TestResult {
    let mut conn = empty_log()?;
    assert!(found(&mut conn)?.is_empty());
    ActivityLogRepository::new(&mut conn).record(&numbered(1).entity("lamp", "8"))?;
    assert!(found(&mut conn)?.is_empty());
    Ok(())
}
