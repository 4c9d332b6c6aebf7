//! What JSON text of other programs may hold that Rust's values cannot.

use activity_log::export::read_ndjson;
use activity_log::json::{find_inexact_number, replace_lone_surrogates};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Number, Value};

use crate::support::{TestResult, numbers_keep_their_digits};

#[test]
fn half_of_a_surrogate_pair_becomes_the_replacement_character() {
    for (json, expected) in [
        (r#""caf\udce9""#, r#""caf\ufffd""#),
        (r#""\uD83D""#, r#""\ufffd""#),
        (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
        (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
        (r#""\ud83dx\ude00""#, r#""\ufffdx\ufffd""#),
        // Pairs, other escapes, and a backslash that is escaped itself.
        (r#""\ud83d\ude00 \u00e9 \n \\udce9""#, r#""\ud83d\ude00 \u00e9 \n \\udce9""#),
        (r#""\\\udce9""#, r#""\\\ufffd""#),
        (r#""\udce"#, r#""\udce"#),
        ("\"\\", "\"\\"),
    ] {
        assert_eq!(String::from_utf8_lossy(&replace_lone_surrogates(json.as_bytes())), expected, "{json}");
    }
}

#[test]
fn a_number_that_would_lose_digits_is_found_outside_strings() {
    let exact = [
        "0",
        "-0",
        "-0.0",
        "0.1",
        "-12.50",
        "1e2",
        "1E+2",
        "100e-2",
        "18446744073709551615",
        "-9223372036854775808",
        "1.7976931348623157e308",
        "5e-324",
        "0.30000000000000004",
        "123456789012345680000",
        "1e22",
        "0.000001000",
        // As SQLite, C and Rust write doubles.
        "0.33333333333333332",
        "0.10000000000000001",
        "1648475731910137.3",
        r#""12345678901234567890123""#,
        r#""\"12345678901234567890123""#,
        "[1, 2.5, {\"a\": -3e-7}]",
    ];
    for json in exact {
        assert_eq!(find_inexact_number(json.as_bytes()), None, "{json}");
    }
    let inexact = [
        ("12345678901234567890123", 0),
        ("-18446744073709551617", 0),
        ("0.1000000000000000055511151231257827", 0),
        ("3.14159265358979323846", 0),
        (r#"{"a": "1", "b": [7, 12345678901234567891234]}"#, 20),
        (r#"{"12345678901234567890123": 12345678901234567890123}"#, 28),
    ];
    for (json, position) in inexact {
        let expected = (!numbers_keep_their_digits()).then_some(position);
        assert_eq!(find_inexact_number(json.as_bytes()), expected, "{json}");
    }
}

proptest! {
    #[test]
    fn a_number_is_exact_if_writing_it_again_keeps_its_value(number in "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,24})?(e-?[0-9]{1,2})?") {
        // The oracle compares as decimal fractions of big integers, digit by digit.
        let read: Number = number.parse()?;
        let mantissa = number.split(['e', 'E']).next().unwrap_or_default().replace(['-', '.'], "");
        let is_short = mantissa.trim_matches('0').len() <= 17;
        let expected = is_short || fraction(&number) == fraction(&read.to_string());
        prop_assert_eq!(find_inexact_number(number.as_bytes()).is_none(), expected, "{} {}", number, read);
    }

    #[test]
    fn any_text_is_looked_through(bytes in proptest::collection::vec(select(b"\\\"u dD8cC0eE.-+1f".to_vec()), 0..60)) {
        prop_assert!(find_inexact_number(&bytes).is_none_or(|position| position < bytes.len()));
        let replaced = replace_lone_surrogates(&bytes).into_owned();
        prop_assert_eq!(&*replace_lone_surrogates(&replaced), &*replaced, "replacing twice changes nothing more");
    }
}

/// The digits of a number written out in full, with 400 places before and after the point.
fn fraction(number: &str) -> (bool, String) {
    let (negative, number) = number.strip_prefix('-').map_or((false, number), |number| (true, number));
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let point = integer.len() as i64 + exponent.trim_start_matches('+').parse::<i64>().unwrap_or_default();
    let digits = format!("{integer}{fraction}");
    let place =
        |index: i64| digits.as_bytes().get(usize::try_from(index).unwrap_or(usize::MAX)).copied().unwrap_or(b'0');
    (
        negative,
        (-400..400).map(|offset| char::from(if point + offset < 0 { b'0' } else { place(point + offset) })).collect(),
    )
}

fn line(message: &str, metadata: &str) -> String {
    format!(
        r#"{{"seq":1,"id":"al_1","ts":"2026-01-01T00:00:00Z","category":"auth","action":"a","severity":"info","actor":"b","message":"{message}","metadata":{metadata}}}"#
    )
}

#[test]
fn a_line_with_half_of_a_surrogate_pair_is_read() -> TestResult {
    let line = line(r"\udce9", r#"{"path":"/srv/caf\udce9.txt","\ud83d":1}"#);
    let entry = read_ndjson(line.as_bytes()).next().ok_or("no entry")??;
    assert_eq!(entry.message, "\u{FFFD}");
    assert_eq!(Value::from(entry.metadata), serde_json::json!({"path": "/srv/caf\u{FFFD}.txt", "\u{FFFD}": 1}));
    Ok(())
}

#[test]
fn a_line_with_a_number_that_would_lose_digits_is_refused_or_keeps_them() -> TestResult {
    let line = line("m", r#"{"id":12345678901234567890123}"#);
    let read = read_ndjson(line.as_bytes()).next().ok_or("no entry")?;
    if numbers_keep_their_digits() {
        assert_eq!(serde_json::to_string(&read?.metadata)?, r#"{"id":12345678901234567890123}"#);
    } else {
        let refused = read.map_err(|error| error.to_string());
        let reason = "it has a number in its `metadata` that would lose digits, near byte";
        assert!(refused.is_err_and(|error| error.contains(reason)));
    }
    Ok(())
}

#[test]
fn utf_16_is_named() {
    let line = line("m", "{}");
    for mark in ["\u{FEFF}", ""] {
        let units = || mark.encode_utf16().chain(line.encode_utf16());
        for file in
            [units().flat_map(u16::to_le_bytes).collect::<Vec<_>>(), units().flat_map(u16::to_be_bytes).collect()]
        {
            let refused = read_ndjson(&*file).next();
            assert!(refused.is_some_and(|line| line.is_err_and(|error| error.to_string().contains("UTF-16"))));
        }
    }
}
