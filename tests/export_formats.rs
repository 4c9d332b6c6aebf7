//! Entries are written as newline-delimited JSON, one at a time, and read back equal.

mod support;

use std::cell::RefCell;
use std::io::{self, Write};

use activity_log::{
    ActivityCategory, ActivityLogEntry, ActivityLogRepository, ActivitySeverity, Error, NewActivityLogEntry, export,
};
use chrono::{DateTime, Utc};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use support::{TestResult, empty_log, entries, everything, numbered, read_back, record_numbered};

fn written(entries: impl IntoIterator<Item = activity_log::Result<ActivityLogEntry>>) -> TestResult<Vec<u8>> {
    let mut file = Vec::new();
    export::write_ndjson(entries, &mut file)?;
    Ok(file)
}

#[test]
fn a_line_is_the_json_of_its_entry() -> TestResult {
    let mut file = Vec::new();
    assert_eq!(export::write_ndjson(entries(2), &mut file)?, 2);
    let [first, second] = [read_back(numbered(1), 1), read_back(numbered(2), 2)];
    let lines = format!("{}\n{}\n", serde_json::to_string(&first)?, serde_json::to_string(&second)?);
    assert_eq!(String::from_utf8(file)?, lines);
    Ok(())
}

#[test]
fn an_empty_log_is_an_empty_file() -> TestResult {
    let mut conn = empty_log()?;
    let mut file = Vec::new();
    let export = ActivityLogRepository::new(&mut conn).iter_export(&everything())?.collect::<Vec<_>>();
    assert_eq!(export::write_ndjson(export, &mut file)?, 0);
    assert_eq!(file, b"");
    assert!(export::read_ndjson(file.as_slice()).next().is_none());
    Ok(())
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        vec(select(vec!['"', '\\', '\n', '\r', '\t', '\0', '\u{1}', '\u{2028}', '\u{FEFF}', '{', ',']), 0..9)
            .prop_map(String::from_iter),
        any::<String>(),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let plain = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any_text().prop_map(Value::from),
        // A key that a feature of serde_json would take for its own.
        any_text().prop_map(|text| json!({"$serde_json::private::RawValue": text})),
    ];
    plain.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((any_text(), inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

prop_compose! {
    fn any_entry()(
        micros in -62_135_596_800_000_000..253_402_300_800_000_000_i64,
        category in prop_oneof![
            select(vec!["auth", "device", "entity", "capture", "system"]).prop_map(ActivityCategory::from),
            any_text().prop_map(ActivityCategory::from),
        ],
        severity in select(ActivitySeverity::ALL.to_vec()),
        [action, actor, message] in [any_text(), any_text(), any_text()],
        [entity_type, entity_id, entity_name] in
            [option::of(any_text()), option::of(any_text()), option::of(any_text())],
        metadata in vec((any_text(), any_value()), 0..4),
    ) -> NewActivityLogEntry {
        let ts = DateTime::<Utc>::from_timestamp_micros(micros).unwrap_or_default();
        let entry = NewActivityLogEntry::new(category, action, actor, message);
        let metadata = metadata.into_iter().collect();
        NewActivityLogEntry { ts, severity, entity_type, entity_id, entity_name, metadata, ..entry }
    }
}

proptest! {
    #[test]
    fn whatever_is_in_the_log_reads_back_equal(new in vec(any_entry(), 0..5)) {
        let mut conn = empty_log().map_err(|error| TestCaseError::fail(error.to_string()))?;
        let mut log = ActivityLogRepository::new(&mut conn);
        log.record_all(&new)?;
        let stored = log.iter_export(&everything())?.collect::<activity_log::Result<Vec<_>>>()?;

        let mut file = Vec::new();
        export::write_ndjson(log.iter_export(&everything())?, &mut file)?;
        prop_assert_eq!(file.iter().filter(|byte| **byte == b'\n').count(), new.len());
        let read = export::read_ndjson(file.as_slice()).collect::<activity_log::Result<Vec<_>>>()?;
        prop_assert_eq!(&read, &stored);
        // As it is when it is recorded anew.
        let again = read.into_iter().map(|entry| (entry.seq, NewActivityLogEntry::from(entry)));
        prop_assert_eq!(again.map(|(seq, entry)| read_back(entry, seq)).collect::<Vec<_>>(), stored);
    }

}

#[test]
fn an_error_among_the_entries_is_handed_on_after_the_whole_lines_before_it() -> TestResult {
    let broken = || Err(Error::UnreadableRow { seq: 3, column: "ts", reason: "is NULL".to_owned() });
    let mut file = Vec::new();
    let outcome = export::write_ndjson(entries(2).chain([broken()]).chain(entries(9)), &mut file);
    assert!(matches!(outcome, Err(Error::UnreadableRow { seq: 3, .. })), "{outcome:?}");
    assert_eq!(file, written(entries(2))?);
    Ok(())
}

/// Takes so many bytes and then fails; remembers whether it was flushed.
struct Full {
    taken: Vec<u8>,
    most: usize,
    flushed: bool,
}

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.most - self.taken.len();
        if room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.taken.extend(bytes.iter().take(room));
        Ok(bytes.len().min(room))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushed = true;
        Ok(())
    }
}

#[test]
fn a_writer_that_fails_ends_the_export_at_that_byte() -> TestResult {
    let whole = written(entries(3))?;
    for most in 0..whole.len() {
        let mut writer = Full { taken: Vec::new(), most, flushed: false };
        let outcome = export::write_ndjson(entries(3), &mut writer);
        assert!(matches!(&outcome, Err(Error::Output(error)) if error.kind() == io::ErrorKind::StorageFull));
        assert!(whole.starts_with(&writer.taken));
        assert_eq!((writer.taken.len(), writer.flushed), (most, false));
    }
    let mut writer = Full { taken: Vec::new(), most: whole.len(), flushed: false };
    assert_eq!(export::write_ndjson(entries(3), &mut writer)?, 3);
    assert!(writer.flushed);
    Ok(())
}

/// A file that others look at while it is written.
struct Watched<'a>(&'a RefCell<Vec<u8>>);

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn each_entry_is_written_before_the_next_is_asked_for() -> TestResult {
    let file = RefCell::new(Vec::new());
    let mut lines = Vec::new();
    let watching = entries(5).inspect(|_| lines.push(file.borrow().iter().filter(|byte| **byte == b'\n').count()));
    export::write_ndjson(watching, Watched(&file))?;
    assert_eq!(lines, [0, 1, 2, 3, 4]);
    Ok(())
}

#[test]
fn a_restored_log_has_equal_entries_with_a_seq_of_its_own() -> TestResult {
    let mut old = empty_log()?;
    record_numbered(&mut old, 2_500)?;
    ActivityLogRepository::new(&mut old).prune(None, Some(1_200))?;
    let file = written(ActivityLogRepository::new(&mut old).iter_export(&everything())?)?;

    let mut new = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut new);
    let mut entries = export::read_ndjson(file.as_slice()).map(|entry| entry.map(NewActivityLogEntry::from));
    loop {
        let batch = entries.by_ref().take(500).collect::<activity_log::Result<Vec<_>>>()?;
        if log.record_all(&batch)? == 0 {
            break;
        }
    }
    let restored = log.iter_export(&everything())?.collect::<activity_log::Result<Vec<_>>>()?;
    let expected = (1..=1_200).map(|seq| read_back(numbered(seq + 1_300), seq)).collect::<Vec<_>>();
    assert_eq!(restored, expected);
    Ok(())
}
