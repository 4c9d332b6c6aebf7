use diesel::RunQueryDsl;
use serde_json::{Value, json};

use crate::server::{PATH, Server, TestResult, entry, with};

/// An entry from an hour in the year 2000, far from the entry that records the start of the server.
fn at(minute: &str, severity: &str) -> Value {
    with(with(entry("Then"), "ts", format!("2000-01-01T12:{minute}Z")), "severity", severity)
}

fn histogram(server: &Server, query: &str) -> TestResult<Value> {
    let answer = server.request("GET", &format!("{PATH}/histogram?{query}"))?;
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    Ok(answer.body)
}

fn bucket(minute: &str, [info, warning, error]: [u64; 3]) -> Value {
    json!({"start": format!("2000-01-01T12:{minute}Z"), "info": info, "warning": warning, "error": error})
}

#[test]
fn each_entry_is_counted_in_the_bucket_of_its_time_under_its_severity() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&[
        at("00:00", "info"),
        at("09:59.999999", "warning"),
        at("10:00", "error"),
        at("10:00", "error"),
        at("20:00", "info"),
        at("30:00", "warning"),
        at("30:00.000001", "error"),
    ])?;
    let window = "since=2000-01-01T12:00:00Z&until=2000-01-01T12:30:00Z";
    assert_eq!(
        histogram(&server, &format!("{window}&buckets=3"))?,
        json!({
            "since": "2000-01-01T12:00:00Z", "until": "2000-01-01T12:30:00Z",
            "buckets": [bucket("00:00", [1, 1, 0]), bucket("10:00", [0, 0, 2]), bucket("20:00", [1, 1, 0])],
        })
    );
    let errors = histogram(&server, &format!("{window}&buckets=3&severities=error&actor=alice"))?;
    let only_errors = [bucket("00:00", [0; 3]), bucket("10:00", [0, 0, 2]), bucket("20:00", [0; 3])];
    assert_eq!(errors["buckets"], json!(only_errors));
    Ok(())
}

#[test]
fn missing_bounds_are_the_times_of_the_earliest_and_the_latest_entry() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&[at("10:00", "info"), at("40:00", "error")])?;
    let both = histogram(&server, "actor=alice&buckets=2")?;
    assert_eq!((&both["since"], &both["until"]), (&json!("2000-01-01T12:10:00Z"), &json!("2000-01-01T12:40:00Z")));
    assert_eq!(both["buckets"], json!([bucket("10:00", [1, 0, 0]), bucket("25:00", [0, 0, 1])]));

    let since = histogram(&server, "actor=alice&since=2000-01-01T12:00:00Z&buckets=1")?;
    assert_eq!((&since["since"], &since["until"]), (&json!("2000-01-01T12:00:00Z"), &both["until"]));
    let until = histogram(&server, "actor=alice&until=2000-01-01T12:50:00Z&buckets=1")?;
    assert_eq!((&until["since"], &until["until"]), (&both["since"], &json!("2000-01-01T12:50:00Z")));
    Ok(())
}

#[test]
fn entries_recorded_out_of_time_order_are_all_included() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&[at("20:00", "info"), at("40:00", "error"), at("10:00", "info"), at("30:00", "warning")])?;
    let spanned = histogram(&server, "actor=alice&buckets=2")?;
    assert_eq!(spanned["buckets"], json!([bucket("10:00", [2, 0, 0]), bucket("25:00", [0, 1, 1])]));
    Ok(())
}

#[test]
fn without_entries_there_are_no_buckets() -> TestResult {
    let server = Server::start()?;
    for query in ["actor=nobody", "actor=nobody&since=2000-01-01T12:00:00Z&until=2000-01-01T12:30:00Z"] {
        let empty = json!({"since": null, "until": null, "buckets": []});
        assert_eq!(histogram(&server, query)?, empty);
    }
    Ok(())
}

#[test]
fn a_bucket_is_never_shorter_than_a_microsecond() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&[at("10:00", "info"), at("10:00", "error")])?;
    assert_eq!(histogram(&server, "actor=alice")?["buckets"], json!([bucket("10:00", [1, 0, 1])]));

    server.post_ndjson(&[at("10:00.000002", "info")])?;
    let three = [bucket("10:00", [1, 0, 1]), bucket("10:00.000001", [0; 3]), bucket("10:00.000002", [1, 0, 0])];
    assert_eq!(histogram(&server, "actor=alice")?["buckets"], json!(three));
    // Bounds that are more precise than the microseconds of entries.
    let finer = "actor=alice&since=2000-01-01T12:10:00.0000001Z&until=2000-01-01T12:10:00.0000029Z";
    let finer = histogram(&server, finer)?;
    assert_eq!(finer["buckets"][0], bucket("10:00", [0; 3]));
    assert_eq!((&finer["buckets"][2], &finer["buckets"][3]), (&bucket("10:00.000002", [1, 0, 0]), &Value::Null));
    Ok(())
}

#[test]
fn the_widest_window_contains_every_entry() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&[at("10:00", "info"), at("20:00", "error")])?;
    let all = histogram(&server, "actor=alice&since=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59Z&buckets=200")?;
    let buckets = all["buckets"].as_array().ok_or("no buckets")?;
    assert_eq!(buckets.len(), 200);
    assert!(buckets.is_sorted_by_key(|bucket| bucket["start"].as_str().map(str::to_owned)), "{buckets:?}");
    assert_eq!(buckets.iter().filter_map(|bucket| bucket["error"].as_u64()).sum::<u64>(), 1);
    Ok(())
}

#[test]
fn the_counts_are_exact() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&vec![at("10:00", "info"); 12_345])?;
    assert_eq!(histogram(&server, "actor=alice&buckets=1")?["buckets"], json!([bucket("10:00", [12_345, 0, 0])]));
    Ok(())
}

#[test]
fn unreadable_rows_do_not_prevent_a_histogram() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&[at("10:00", "info"), at("20:00", "info"), at("30:00", "info"), at("40:00", "info")])?;
    let corrupt = "UPDATE activity_log SET severity = 'fatal' WHERE seq IN (2, 5)";
    diesel::sql_query(corrupt).execute(&mut server.connect()?)?;
    let spanned = histogram(&server, "actor=alice&buckets=2")?;
    assert_eq!(spanned["buckets"], json!([bucket("10:00", [1, 0, 0]), bucket("25:00", [1, 0, 0])]));
    Ok(())
}

#[test]
fn a_histogram_has_from_one_to_two_hundred_buckets() -> TestResult {
    let server = Server::start()?;
    for buckets in ["0", "201", "x"] {
        let answer = server.request("GET", &format!("{PATH}/histogram?buckets={buckets}"))?;
        assert_eq!((answer.status, answer.error("parameter")), (400, &json!("buckets")));
    }
    server.post_ndjson(&[at("10:00", "info"), at("40:00", "error")])?;
    assert_eq!(histogram(&server, "actor=alice")?["buckets"].as_array().map(Vec::len), Some(60));
    Ok(())
}

#[test]
fn the_edges_of_the_buckets_can_be_given() -> TestResult {
    let server = Server::start()?;
    let times = ["09:59.999999", "10:00", "19:59.999999", "20:00", "49:59.999999", "50:00"];
    server.post_ndjson(&times.map(|time| at(time, "info")))?;
    let edges = "2000-01-01T12:10:00Z,2000-01-01T12:20:00Z&edges=2000-01-01T13:50:00%2B01:00";
    let given = histogram(&server, &format!("actor=alice&edges={edges}"))?;
    assert_eq!(
        given,
        json!({
            "since": "2000-01-01T12:10:00Z", "until": "2000-01-01T12:49:59.999999Z",
            "buckets": [bucket("10:00", [2, 0, 0]), bucket("20:00", [2, 0, 0])],
        })
    );
    // The filters apply as well.
    let since = histogram(&server, &format!("actor=alice&since=2000-01-01T12:15:00Z&edges={edges}"))?;
    assert_eq!(since["buckets"], json!([bucket("10:00", [1, 0, 0]), bucket("20:00", [2, 0, 0])]));
    Ok(())
}

#[test]
fn edges_that_make_no_buckets_are_refused() -> TestResult {
    let server = Server::start()?;
    let (one, other) = ("2000-01-01T12:00:00Z", "2000-01-01T13:00:00Z");
    let many = vec![one; 202].iter().map(|edge| format!("&edges={edge}")).collect::<String>();
    for edges in [
        format!("edges={one}"),
        format!("edges={other},{one}"),
        "edges=yesterday,today".to_owned(),
        format!("edges={one},{other}&buckets=2"),
        many,
    ] {
        let answer = server.request("GET", &format!("{PATH}/histogram?{edges}"))?;
        assert_eq!((answer.status, answer.error("parameter")), (400, &json!("edges")), "{edges}");
    }
    Ok(())
}
