//! Any file of newline-delimited JSON reads as entries, and as errors with their line numbers.

use std::io::{self, BufReader, Read};

use activity_log::{ActivityLogEntry, EntryLimits, Error, export};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::entries;
use crate::support::{TestResult, ndjson, numbered, read_back};

/// The entries that are read, with each error as text.
fn read(file: impl AsRef<[u8]>) -> Vec<Result<ActivityLogEntry, String>> {
    export::read_ndjson(file.as_ref()).map(|entry| entry.map_err(|error| error.to_string())).collect()
}

fn line(number: i64) -> TestResult<String> {
    Ok(serde_json::to_string(&read_back(numbered(number), number))?)
}

fn holds(file: &[u8], line: &str) -> bool {
    file.split(|byte| *byte == b'\n').any(|held| held == line.as_bytes())
}

proptest! {
    #[test]
    fn each_line_of_any_file_is_at_most_one_entry_or_one_error(
        edits in vec((0_usize..600, prop_oneof![any::<u8>(), select(b"\"\\{}[],:\n0 ".to_vec())]), 0..4),
    ) {
        let mut file = ndjson(entries(3)).map_err(|error| TestCaseError::fail(error.to_string()))?;
        for (place, byte) in edits {
            if let Some(edited) = file.get_mut(place) {
                *edited = byte;
            }
        }
        let lines = file.split(|byte| *byte == b'\n').count();
        prop_assert!(read(&file).len() <= lines);
        // An unedited file reads back unchanged.
        let spared = entries(3).flatten().filter(|entry| line(entry.seq).is_ok_and(|line| holds(&file, &line)));
        for entry in spared {
            prop_assert!(read(&file).contains(&Ok(entry)));
        }
    }
}

#[test]
fn a_byte_order_mark_blank_lines_and_crlf_are_accepted() -> TestResult {
    let file = format!("\u{FEFF}{}\r\n\r\n \t\n{}\n\n{}", line(1)?, line(2)?, line(3)?);
    let expected = entries(3).collect::<activity_log::Result<Vec<_>>>()?;
    assert_eq!(export::read_ndjson(file.as_bytes()).collect::<activity_log::Result<Vec<_>>>()?, expected);
    assert_eq!(read("\u{FEFF}"), []);
    let counted = "line 3 of the exported entries cannot be read: it is not a JSON object";
    assert_eq!(read("\n\r\nx"), [Err(counted.to_owned())]);
    Ok(())
}

#[test]
fn optional_fields_may_be_missing_from_a_line_and_unknown_ones_are_ignored() -> TestResult {
    let line = r#"{"seq":1,"id":"al_00000001","ts":"1970-01-01T01:01:00+01:00","category":"system","action":"tick",
        "severity":"info","actor":"clock","message":"Tick 1","unknown":[{}]}"#;
    assert_eq!(read(line.replace('\n', " ")), [Ok(read_back(numbered(1), 1))]);
    Ok(())
}

#[test]
fn a_line_that_is_not_an_entry_is_an_error_that_quotes_nothing_and_reading_continues() -> TestResult {
    let one = line(1)?;
    let cut = one.split_at(one.len() - 1).0;
    let array = r#"[1,"al_1","1970-01-01T00:01:00Z","system","a","info","b",null,null,null,"c",{}]"#;
    for (bad, reason) in [
        ("secret", "is not a JSON object"),
        (array, "is not a JSON object"),
        (&one.replace("Tick", "\u{1}secret"), "is not JSON"),
        (&format!("{one}{one}"), "is not JSON"),
        (cut, "ends too early"),
        (&one.replace(r#""id":"al_00000001","#, ""), "is JSON but not an entry: missing field `id`"),
        (&one.replace("\"id\"", "\"seq\""), "is JSON but not an entry: duplicate field `seq`"),
        (&one.replace("info", "secret"), "is JSON but not an entry"),
        (&one.replace("{}", "\"secret\""), "is JSON but not an entry"),
        (&one.replace("1970-01", "secret"), "is JSON but not an entry"),
    ] {
        let read = read(format!("{one}\n{bad}\n{}\n", line(3)?));
        let [Ok(before), Err(message), Ok(after)] = read.as_slice() else { return Err(format!("{read:?}").into()) };
        assert_eq!((before.seq, after.seq), (1, 3));
        let (message, byte) = message.split_once(", near byte ").unwrap_or((message, "0"));
        assert_eq!(message, format!("line 2 of the exported entries cannot be read: it {reason}"), "{bad}");
        assert!(byte.parse::<usize>()? <= bad.len(), "{byte}");
    }
    let no_utf_8 = [b"{\"id\":\"\xFFsecret\"}\n", line(2)?.as_bytes()].concat();
    let read = read(no_utf_8);
    assert!(
        matches!(read.as_slice(), [Err(message), Ok(_)] if message.contains("is not JSON, near byte ")),
        "{read:?}"
    );
    Ok(())
}

#[test]
fn a_line_at_the_limit_is_read_and_a_longer_one_is_skipped() -> TestResult {
    let [one, two] = [line(1)?, line(2)?];
    let file = format!("{one}\n{two} \n{one}\n{one} ");
    let entries = export::read_ndjson_with_limit(file.as_bytes(), one.len()).collect::<Vec<_>>();
    assert!(
        matches!(
            entries.as_slice(),
            [Ok(_), Err(Error::UnreadableLine { line: 2, reason }), Ok(_), Err(Error::UnreadableLine { line: 4, .. })]
                if *reason == format!("has more than {} bytes", one.len())
        ),
        "{entries:?}"
    );
    Ok(())
}

#[test]
fn an_endless_line_is_reported_at_the_limit_and_reading_stops() -> TestResult {
    let mut endless = io::repeat(b'x').take(1 << 40);
    let mut entries = export::read_ndjson_with_limit(BufReader::with_capacity(64, &mut endless), 1_000);
    assert!(matches!(entries.next(), Some(Err(Error::UnreadableLine { line: 1, .. }))));
    drop(entries);
    assert!((1 << 40) - endless.limit() < 2_000, "{}", endless.limit());
    Ok(())
}

#[test]
fn the_line_limit_fits_the_largest_entry_that_the_log_accepts_by_default() {
    let EntryLimits { id, category, action, actor, entity_type, entity_id, entity_name, message, metadata } =
        EntryLimits::default();
    let texts = [id, category, action, actor, entity_type, entity_id, entity_name, message].iter().sum::<usize>();
    // A control character takes six bytes: \u0001. The limit of the metadata already counts JSON.
    let largest = 6 * texts + metadata;
    assert!(export::MAX_LINE_BYTES > largest + 1_000);
    // Nor does it admit much more.
    assert!(export::MAX_LINE_BYTES < 2 * largest);
}

#[test]
fn a_line_beyond_the_default_limit_is_reported() -> TestResult {
    let line = line(1)?;
    let padded = |bytes: usize| format!("{line}{}\n", " ".repeat(bytes - line.len()));
    let file = [padded(export::MAX_LINE_BYTES), padded(export::MAX_LINE_BYTES + 1)].concat();
    let entries = export::read_ndjson(file.as_bytes()).collect::<Vec<_>>();
    assert!(matches!(entries.as_slice(), [Ok(_), Err(Error::UnreadableLine { line: 2, .. })]), "{entries:?}");
    Ok(())
}

#[test]
fn an_error_of_the_reader_is_the_last_item() -> TestResult {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::TimedOut.into())
        }
    }
    let whole = format!("{}\n{{", line(1)?);
    let mut entries = export::read_ndjson(BufReader::new(whole.as_bytes().chain(Broken)));
    assert_eq!(entries.next().ok_or("no entry")??.seq, 1);
    assert!(matches!(entries.next(), Some(Err(Error::Input(error))) if error.kind() == io::ErrorKind::TimedOut));
    assert!(entries.next().is_none());
    Ok(())
}
