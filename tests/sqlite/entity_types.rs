//! A lookup by entity id steps through the entity types in the index.

use activity_log::ActivityLogRepository;
use diesel::connection::SimpleConnection;

use crate::behaviour::entity_ids::{about_7, found, id};
use crate::database::{SharedLog, empty_log};
use crate::statements::after_query;
use crate::support::{TestResult, seqs};

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
fn a_follower_misses_nothing_of_a_type_that_appears_while_it_reads() -> TestResult {
    for entity_type in [Some("user"), None] {
        let file = SharedLog::create()?;
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
