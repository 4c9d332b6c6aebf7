//! Reading the log.

use activity_log::{ActivitySeverity, NewActivityLogEntry, Repository};
use activity_log_axum::{Viewer, is_page_file};
use axum::http::StatusCode;
use serde_json::json;

use crate::viewer::TestResult;
use crate::viewer::host::{Events, Host, LOG, entry, messages};

#[tokio::test]
async fn a_page_leads_to_the_older_one_and_back() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    host.record(&["One", "Two", "Three"])?;
    let newest = host.list("limit=2").await?;
    assert_eq!((messages(&newest), &newest["has_more"]), (vec!["Three", "Two"], &json!(true)));
    let older = host.list(&format!("limit=2&before_seq={}", newest["next_before_seq"])).await?;
    assert_eq!(messages(&older), ["One"]);
    assert_eq!(host.list(&format!("limit=2&after_seq={}", older["prev_after_seq"])).await?, newest);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_can_be_read_where_it_is_served() -> TestResult {
    let host = Host::new(Viewer::read_in_place)?;
    host.record(&["One"])?;
    assert_eq!(messages(&host.list("").await?), ["One"]);
    Ok(())
}

#[tokio::test]
async fn a_runtime_of_one_thread_reads_on_another_one_all_the_same() -> TestResult {
    let host = Host::new(Viewer::read_in_place)?;
    host.record(&["One"])?;
    assert_eq!(messages(&host.list("").await?), ["One"]);
    Ok(())
}

#[tokio::test]
async fn filters_count_and_draw_what_they_list() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    host.record(&["A lamp", "A switch", "Another lamp"])?;
    assert_eq!(messages(&host.list("message_contains=LAMP").await?), ["Another lamp", "A lamp"]);
    let count = host.get(&format!("{LOG}/count?message_contains=lamp")).await?;
    assert_eq!(count.json, json!({"count": 2, "more": false}));
    let histogram = host.get(&format!("{LOG}/histogram?message_contains=lamp&buckets=1")).await?.json;
    assert_eq!(histogram["buckets"][0]["info"], 2);
    let facets = host.get(&format!("{LOG}/facets?by=actor")).await?.json;
    assert_eq!(facets, json!({"values": [{"value": "alice", "entries": 3}], "more": false}));
    Ok(())
}

#[tokio::test]
async fn what_a_filter_excludes_is_left_out_everywhere() -> TestResult {
    let host = Host::new(|viewer| viewer.read_only())?;
    host.record(&["Of Alice"])?;
    let bob = NewActivityLogEntry::new("system", "heartbeat.sent", "bob", "Of Bob").severity(ActivitySeverity::Warning);
    Repository::new(&mut host.log.connect()?).record(&bob)?;
    let excluding_bob = [
        "exclude_actors=bob",
        "exclude_actions=heartbeat.*",
        "exclude_categories=system",
        "exclude_severities=warning",
    ];
    for filter in excluding_bob {
        assert_eq!(messages(&host.list(filter).await?), ["Of Alice"], "{filter}");
        assert_eq!(host.get(&format!("{LOG}/count?{filter}")).await?.json["count"], 1);
        assert_eq!(host.get(&format!("{LOG}/histogram?buckets=1&{filter}")).await?.json["buckets"][0]["info"], 1);
        let facets = host.get(&format!("{LOG}/facets?by=actor&limit=9&{filter}")).await?.json;
        assert_eq!(facets["values"], json!([{"value": "alice", "entries": 1}]));
        let export = host.get(&format!("{LOG}/export?categories=device,system&{filter}")).await?.text;
        assert_eq!(export.lines().count(), 1);
        let mut events = Events::open(&host.router, &format!("{LOG}/stream?after_seq=0&{filter}")).await?;
        assert_eq!(events.next().await?.unwrap_or_default()["message"], "Of Alice");
    }
    Ok(())
}

#[tokio::test]
async fn one_entry_is_found_by_its_id() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    let recorded = entry("Found");
    Repository::new(&mut host.log.connect()?).record(&recorded)?;
    assert_eq!(host.get(&format!("{LOG}/{}", recorded.id)).await?.json["message"], "Found");
    assert_eq!(host.get(&format!("{LOG}/al_none")).await?.status, StatusCode::NOT_FOUND);
    Ok(())
}

#[tokio::test]
async fn an_export_has_every_entry_and_that_it_was_made() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    host.record(&["One", "Two"])?;
    let ndjson = host.get(&format!("{LOG}/export")).await?;
    assert_eq!(ndjson.text.lines().count(), 3);
    let csv = host.get(&format!("{LOG}/export?format=csv&actor=alice")).await?;
    assert!(csv.text.lines().count() == 3 && csv.text.contains("Two"), "{}", csv.text);
    Ok(())
}

#[tokio::test]
async fn the_title_is_the_hosts() -> TestResult {
    let host = Host::new(|viewer| viewer.title("Lamps & switches"))?;
    assert_eq!(host.get("/viewer.json").await?.json["title"], "Lamps & switches");
    Ok(())
}

#[tokio::test]
async fn a_viewer_without_a_recorder_is_healthy_while_its_database_answers() -> TestResult {
    let health = Host::new(|viewer| viewer)?.get("/healthz").await?;
    assert_eq!((health.status, &health.json["status"]), (StatusCode::OK, &json!("ok")));
    Ok(())
}

#[tokio::test]
async fn every_file_of_the_page_is_served() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/page"))? {
        let name = file?.file_name().into_string().map_err(|name| format!("{name:?}"))?;
        let path = if name == "index.html" { "/".to_owned() } else { format!("/{name}") };
        assert_eq!(host.get(&path).await?.status, StatusCode::OK, "{path}");
        assert!(is_page_file(&path), "{path}");
    }
    Ok(())
}
