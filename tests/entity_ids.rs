//! An id of an entity is found under whatever type it was recorded, and under none.

mod support;

use activity_log::{ActivityLogFilters, ActivityLogRepository, NewActivityLogEntry};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use support::{LogFile, TestResult, after_query, empty_log, everything, numbered, seqs};

fn id(id: &str) -> ActivityLogFilters {
    ActivityLogFilters { entity_id: Some(id.to_owned()), ..everything() }
}

/// The entry of this number, about `7` of a type or of none.
fn about_7(number: i64, entity_type: Option<&str>) -> NewActivityLogEntry {
    let entity_type = entity_type.map(str::to_owned);
    NewActivityLogEntry { entity_type, entity_id: Some("7".to_owned()), ..numbered(number) }
}

/// What the id gives by page, by follow, by export and by count, oldest first; all must agree.
fn found(conn: &mut SqliteConnection) -> TestResult<Vec<i64>> {
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
fn an_id_is_found_under_all_its_types_in_the_order_of_the_log() -> TestResult {
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
fn an_id_is_found_also_where_it_has_no_type() -> TestResult {
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

#[test]
fn an_id_is_found_under_a_type_that_another_program_did_not_write_as_text() -> TestResult {
    for entity_type in ["x'6C616D70'", "CAST(x'FF6C' AS TEXT)", "'lamp' || char(0) || 'x'", "char(65533)"] {
        let mut conn = empty_log()?;
        ActivityLogRepository::new(&mut conn).record(&about_7(1, Some("lamp")))?;
        conn.batch_execute(&format!(
            "INSERT INTO activity_log (id, ts, category, action, severity, actor, entity_type, entity_id, message) \
             VALUES ('x', '2025-06-01T12:00:00+00:00', 'system', 'a', 'info', 'b', {entity_type}, '7', 'x')"
        ))?;
        assert_eq!(found(&mut conn)?, [1, 2], "{entity_type}");
    }
    Ok(())
}

#[test]
fn an_id_of_very_many_types_is_found_beside_the_longest_list_of_categories() -> TestResult {
    for types in [100, 1_000] {
        let mut conn = empty_log()?;
        let entries = (0..types).map(|number| about_7(number, Some(&format!("type {number}"))));
        ActivityLogRepository::new(&mut conn).record_all(&entries.collect::<Vec<_>>())?;
        let mut filters = id("7");
        filters.categories.push("system".into());
        filters.categories.extend((1..32_000).map(|number| format!("area {number}").into()));
        let log = &mut ActivityLogRepository::new(&mut conn);
        assert_eq!(log.query(&filters, None, 2_000)?.len() as i64, types);
        assert_eq!(log.count(&filters)? as i64, types);
    }
    Ok(())
}

#[test]
fn a_follower_misses_nothing_of_a_type_that_comes_up_while_it_reads() -> TestResult {
    for entity_type in [Some("user"), None] {
        let file = LogFile::create()?;
        let mut writer = file.connect()?;
        ActivityLogRepository::new(&mut writer).record(&about_7(1, Some("lamp")))?;
        let mut reader = file.connect()?;
        after_query(&mut reader, "RECURSIVE", move || {
            let entries = [about_7(2, entity_type), about_7(3, Some("lamp"))];
            ActivityLogRepository::new(&mut writer).record_all(&entries)?;
            Ok(())
        });
        let mut log = ActivityLogRepository::new(&mut reader);
        let mut followed = seqs(&log.query_after(&id("7"), 0, 100)?);
        followed.extend(seqs(&log.query_after(&id("7"), followed.last().copied().unwrap_or_default(), 100)?));
        assert_eq!(followed, [1, 2, 3], "{entity_type:?}");
    }
    Ok(())
}
