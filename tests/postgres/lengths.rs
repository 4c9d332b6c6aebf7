//! Texts that are too long for PostgreSQL's indexes are refused before the server sees them.

use activity_log::{EntryLimits, Error, NewActivityLogEntry};

use crate::database::{ActivityLogRepository, NewActivityLogRow, empty_log, with_write_transaction};
use crate::support::{TestResult, everything, numbered};

/// A text that does not become shorter when it is compressed.
fn noise(bytes: usize) -> String {
    let mut state = 1_u64;
    let digits = (0..bytes).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'!' + u8::try_from((state >> 33) % 90).unwrap_or_default())
    });
    digits.collect()
}

#[test]
fn texts_that_fill_an_index_row_are_recorded_and_longer_ones_are_refused_by_name() -> TestResult {
    let mut conn = empty_log()?;
    let longest = || NewActivityLogEntry {
        category: noise(200).into(),
        action: noise(200),
        actor: noise(2_000),
        entity_type: Some(noise(200)),
        entity_id: Some(noise(2_400)),
        ..numbered(1).id(noise(2_600))
    };
    let mut log = ActivityLogRepository::new(&mut conn).with_limits(EntryLimits::UNLIMITED);
    assert_eq!(log.record(&longest())?, 1);
    for (field, entry) in [
        ("id", NewActivityLogEntry { id: noise(2_601), ..longest() }),
        ("actor", NewActivityLogEntry { actor: noise(2_001), ..longest() }),
        ("action", NewActivityLogEntry { action: noise(2_201), ..longest() }),
        ("entity_id", NewActivityLogEntry { entity_id: Some(noise(2_401)), ..longest() }),
    ] {
        let refused = log.record_all(&[numbered(2), entry.clone()]);
        assert!(matches!(refused, Err(Error::InvalidEntry { index: 1, field: of, .. }) if of == field), "{refused:?}");
        let row = NewActivityLogRow::from_entry_with(&entry, EntryLimits::UNLIMITED, None);
        assert!(matches!(row, Err(Error::InvalidEntry { field: of, .. }) if of == field));
    }
    assert_eq!(log.count(&everything())?, 1);
    Ok(())
}

#[test]
fn a_refused_text_leaves_the_hosts_transaction_usable() -> TestResult {
    let mut conn = empty_log()?;
    with_write_transaction(&mut conn, |conn| {
        let mut log = ActivityLogRepository::new(conn).with_limits(EntryLimits::UNLIMITED);
        let refused = log.record(&NewActivityLogEntry { actor: noise(3_000), ..numbered(1) });
        assert!(matches!(refused, Err(Error::InvalidEntry { .. })), "{refused:?}");
        log.record(&numbered(2)).map(drop)
    })?;
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&everything())?, 1);
    Ok(())
}
