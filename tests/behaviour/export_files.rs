//! Any log can be restored from its export file.

use activity_log::{ActivityCategory, ActivityLogEntry, ActivitySeverity, NewActivityLogEntry, export};
use chrono::{DateTime, Utc};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::database::{ActivityLogRepository, CASES, empty_log};
use crate::support::{TestResult, everything, ndjson, numbered, read_back, record_numbered};

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
        // A key with a special meaning for a feature of serde_json.
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
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn any_log_reads_back_equal(new in vec(any_entry(), 0..5)) {
        let mut conn = empty_log().map_err(|error| TestCaseError::fail(error.to_string()))?;
        let mut log = ActivityLogRepository::new(&mut conn);
        log.record_all(&new)?;
        let stored = log.iter_export(&everything())?.collect::<activity_log::Result<Vec<_>>>()?;

        let mut file = Vec::new();
        export::write_ndjson(log.iter_export(&everything())?, &mut file)?;
        prop_assert_eq!(file.iter().filter(|byte| **byte == b'\n').count(), new.len());
        let read = export::read_ndjson(file.as_slice()).collect::<activity_log::Result<Vec<_>>>()?;
        prop_assert_eq!(&read, &stored);
        // Recording the entry again stores what `read_back` says.
        let again = read.into_iter().map(|entry| (entry.seq, NewActivityLogEntry::from(entry)));
        prop_assert_eq!(again.map(|(seq, entry)| read_back(entry, seq)).collect::<Vec<_>>(), stored);
    }

}

#[test]
fn a_restored_log_has_equal_entries_with_new_seqs() -> TestResult {
    let mut old = empty_log()?;
    record_numbered(&mut old, 2_500)?;
    ActivityLogRepository::new(&mut old).prune(None, Some(1_200))?;
    let file = ndjson(ActivityLogRepository::new(&mut old).iter_export(&everything())?)?;

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

/// The entries that are read, with each error as text.
fn read(file: impl AsRef<[u8]>) -> Vec<Result<ActivityLogEntry, String>> {
    export::read_ndjson(file.as_ref()).map(|entry| entry.map_err(|error| error.to_string())).collect()
}

fn line(number: i64) -> TestResult<String> {
    Ok(serde_json::to_string(&read_back(numbered(number), number))?)
}

/// Metadata with this nesting depth. The metadata object is the first level.
fn nested(depth: usize) -> Map<String, Value> {
    let value = (2..depth).fold(json!([]), |value, _| Value::Array(vec![value]));
    Map::from_iter([("deep".to_owned(), value)])
}

#[test]
fn metadata_at_the_depth_limit_reads_back_and_deeper_metadata_is_refused() -> TestResult {
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let deepest = numbered(1).metadata(nested(127));
    log.record(&deepest)?;
    let file = ndjson(log.iter_export(&everything())?)?;
    assert_eq!(read(file), [Ok(read_back(deepest, 1))]);

    let deeper = ndjson([Ok(read_back(numbered(1).metadata(nested(128)), 1))])?;
    let refused = "line 1 of the exported entries cannot be read: it is nested more than 128 levels deep";
    assert_eq!(read(deeper), [Err(refused.to_owned())]);
    // Deep enough to exhaust any stack, and with brackets inside a string, which do not count.
    let hostile = line(1)?.replace("{}", &"[".repeat(1_000_000));
    assert_eq!(read(hostile), [Err(refused.to_owned())]);
    let brackets = numbered(1).metadata_value("\\\"[", "\"[{\\".repeat(1_000));
    assert_eq!(read(ndjson([Ok(read_back(brackets.clone(), 1))])?), [Ok(read_back(brackets, 1))]);
    Ok(())
}

#[cfg(feature = "csv")]
#[test]
fn an_empty_log_is_only_the_header() -> TestResult {
    let mut conn = empty_log()?;
    let mut file = Vec::new();
    let header = "seq,id,ts,category,action,severity,actor,entity_type,entity_id,entity_name,message,metadata\r\n";
    let count = export::write_csv(ActivityLogRepository::new(&mut conn).iter_export(&everything())?, &mut file)?;
    assert_eq!((count, String::from_utf8(file)?.as_str()), (0, header));
    Ok(())
}
