//! Filters in the query string of a URL, and as JSON.

use activity_log::{ActivityCategory, ActivityLogFilters, ActivitySeverity, Error};

use crate::support::{TestResult, at, numbered};

fn refused(query: &str) -> TestResult<(String, String)> {
    match ActivityLogFilters::from_query(query) {
        Err(Error::InvalidQuery { parameter, reason }) => Ok((parameter, reason)),
        other => Err(format!("{other:?}").into()),
    }
}

#[test]
fn every_filter_is_read_by_the_name_of_its_field() -> TestResult {
    let query = "categories=auth,billing&exclude_categories=system&severities=warning,error\
        &exclude_severities=info&actions=user.*,login&exclude_actions=heartbeat\
        &actor=alice&actors=alice,bob&exclude_actors=cron&entity_type=device&exclude_entity_types=lamp&entity_id=7\
        &since=2026-01-01T00:00:00Z&until=2026-01-31T00:00:00.5%2B01:00&message_contains=100%25+sure&metadata=%7B%22ip%22:%2210.0.0.7%22%7D";
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let expected = ActivityLogFilters {
        categories: vec![ActivityCategory::Auth, "billing".into()],
        exclude_categories: vec![ActivityCategory::System],
        severities: vec![ActivitySeverity::Warning, ActivitySeverity::Error],
        exclude_severities: vec![ActivitySeverity::Info],
        actions: texts(&["user.*", "login"]),
        exclude_actions: texts(&["heartbeat"]),
        actor: Some("alice".to_owned()),
        actors: texts(&["alice", "bob"]),
        exclude_actors: texts(&["cron"]),
        entity_type: Some("device".to_owned()),
        exclude_entity_types: texts(&["lamp"]),
        entity_id: Some("7".to_owned()),
        since: Some(at("2026-01-01T00:00:00Z")?),
        until: Some(at("2026-01-30T23:00:00.5Z")?),
        message_contains: Some("100% sure".to_owned()),
        metadata: numbered(1).metadata_value("ip", "10.0.0.7").metadata,
    };
    assert_eq!(ActivityLogFilters::from_query(query)?, expected);
    assert_eq!(ActivityLogFilters::from_query(&format!("?{query}"))?, expected);
    Ok(())
}

#[test]
fn a_list_may_be_repeated_or_encoded_and_have_escaped_commas() -> TestResult {
    let filters = ActivityLogFilters::from_query(r"actors=alice&actors=bob%2Ccarol&actors=Smith\,+John,DOMAIN\dave,,")?;
    assert_eq!(filters.actors, ["alice", "bob", "carol", "Smith, John", r"DOMAIN\dave"]);
    Ok(())
}

#[test]
fn white_space_is_part_of_an_item_that_stands_alone() -> TestResult {
    let filters = ActivityLogFilters::from_query("actors=+alice&actors=bob+,+carol&actors=+&severities=+info")?;
    assert_eq!(filters.actors, [" alice", "bob", "carol", " "]);
    assert_eq!(filters.severities, [ActivitySeverity::Info]);
    Ok(())
}

#[test]
fn an_empty_query_or_value_restricts_nothing() -> TestResult {
    for query in [
        "",
        "?",
        "&&",
        "actor=&categories=&since=&message_contains",
        "severities=,",
        "metadata=&actions=",
        "metadata={}",
    ] {
        assert_eq!(ActivityLogFilters::from_query(query)?, ActivityLogFilters::default(), "{query}");
    }
    Ok(())
}

#[test]
fn a_plus_sign_in_an_offset_need_not_be_encoded() -> TestResult {
    let filters = ActivityLogFilters::from_query("since=2026-01-01T00:00:00+02:00")?;
    assert_eq!(filters.since, Some(at("2025-12-31T22:00:00Z")?));
    Ok(())
}

#[test]
fn a_parameter_that_cannot_be_read_is_named_with_what_is_allowed() -> TestResult {
    for (query, parameter, reason) in [
        ("category=auth", "category", "is not a known parameter; the filters are categories, severities,"),
        ("actor=a&actor=b", "actor", "is given more than once"),
        ("actor=&actor=b", "actor", "is given more than once"),
        ("since=yesterday", "since", "is not a time in RFC 3339"),
        ("until=2026-01-01", "until", "is not a time in RFC 3339"),
        ("severities=info,fatal", "severities", "lists a value that "),
        ("actor=%FF", "actor", "is not UTF-8"),
        ("metadata=%7B%22,a%22:1%7D", "metadata", "has a key that begins with"),
        (
            &*format!("actions={}", (0..201).map(|n| format!("{n}.*,")).collect::<String>()),
            "actions",
            "lists 201 different",
        ),
        ("metadata=ip", "metadata", "is not JSON: line 1, column 1"),
        ("metadata=%5B1%5D", "metadata", "is JSON but not an object: line 1, column 0; give a JSON object, such as {"),
    ] {
        let (named, why) = refused(query)?;
        assert_eq!(named, parameter, "{query}");
        assert!(why.contains(reason), "{query}: {why}");
    }
    Ok(())
}

#[test]
fn parameters_of_the_host_are_left_to_it() -> TestResult {
    let filters = ActivityLogFilters::from_query_with("limit=5&actor=alice&limit=6", &["limit"])?;
    assert_eq!(filters, ActivityLogFilters { actor: Some("alice".to_owned()), ..ActivityLogFilters::default() });
    assert!(ActivityLogFilters::from_query_with("limits=5", &["limit"]).is_err());
    Ok(())
}

#[test]
fn an_unknown_field_of_json_filters_is_refused_by_name() {
    let misspelled = serde_json::from_str::<ActivityLogFilters>(r#"{"category":["auth"]}"#);
    assert!(misspelled.is_err_and(|error| error.to_string().contains("unknown field `category`")));
    let known = serde_json::from_str::<ActivityLogFilters>(r#"{"actions":["user.*"]}"#);
    assert!(known.is_ok_and(|filters| filters.actions == ["user.*"]));
}
