//! Links from entries to the host's own pages.

use activity_log::{NewActivityLogEntry, Repository};
use serde_json::{Value, json};

use crate::viewer::TestResult;
use crate::viewer::host::{Events, Host, LOG, entry};

fn host_with_links() -> TestResult<Host> {
    Host::new(|viewer| {
        viewer
            .link_entity(|entity_type, id| (entity_type == "lamp").then(|| format!("/lamps/{id}")))
            .link_actor(|actor| (actor == "alice").then(|| "https://example.org/users/alice".to_owned()))
    })
}

#[tokio::test]
async fn lists_single_entries_and_streams_have_the_links() -> TestResult {
    let host = host_with_links()?;
    let expected = json!({"entity": "/lamps/7", "actor": "https://example.org/users/alice"});
    let mut events = Events::open(&host.router, &format!("{LOG}/stream")).await?;
    let recorded = entry("Linked");
    Repository::new(&mut host.log.connect()?).record(&recorded)?;
    assert_eq!(host.list("").await?["entries"][0]["links"], expected);
    assert_eq!(host.get(&format!("{LOG}/{}", recorded.id)).await?.json["links"], expected);
    assert_eq!(events.next().await?.unwrap_or_default()["links"], expected);
    Ok(())
}

#[tokio::test]
async fn an_entry_without_a_page_has_no_links() -> TestResult {
    let host = host_with_links()?;
    let entry = NewActivityLogEntry::new("device", "device.lost", "bob", "Lost").entity("switch", "3");
    Repository::new(&mut host.log.connect()?).record(&entry)?;
    assert_eq!(host.list("").await?["entries"][0].get("links"), None);
    Ok(())
}

/// The link that the list has for what the host gave.
async fn shown(url: &'static str) -> TestResult<Value> {
    let host = Host::new(|viewer| viewer.link_actor(move |_| Some(url.to_owned())))?;
    host.record(&["Linked"])?;
    Ok(host.list("").await?["entries"][0]["links"]["actor"].clone())
}

#[tokio::test]
async fn only_links_that_lead_to_pages_are_shown() -> TestResult {
    for url in ["/users/alice", "users/a:b", "?user=a:b", "#alice", "//example.org/", "http://example.org", "HTTPS://x"]
    {
        assert_eq!(shown(url).await?, url);
    }
    for url in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " javascript:alert(1)",
        "\u{1}javascript:alert(1)",
        "java\tscript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        ":",
        "",
    ] {
        assert_eq!(shown(url).await?, Value::Null, "{url:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_reader_is_led_to_the_hosts_own_page_to_sign_in() -> TestResult {
    let host = Host::new(|viewer| viewer.sign_in_url("/sign-in"))?;
    assert_eq!(host.get("/viewer.json").await?.json["sign_in_url"], "/sign-in");
    let unsafe_one = Host::new(|viewer| viewer.sign_in_url("javascript:alert(1)"))?;
    assert_eq!(unsafe_one.get("/viewer.json").await?.json["sign_in_url"], Value::Null);
    Ok(())
}
