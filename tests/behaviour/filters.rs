//! Each filter restricts exactly as documented, alone and combined with every other filter.

use activity_log::{
    ActivityCategory, ActivityLogEntry, ActivityLogFilters, ActivitySeverity, Error, Facet, NewActivityLogEntry,
};

use crate::database::{ActivityLogRepository, empty_log};
use crate::support::{TestResult, at, everything, numbered, seqs};

/// The `seq`s that match in a log of these entries, newest first.
fn matching(entries: &[NewActivityLogEntry], filters: &ActivityLogFilters) -> TestResult<Vec<i64>> {
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    log.record_all(entries)?;
    let found = seqs(&log.query(filters, None, 1_000)?);
    assert_eq!(log.count(filters)?, found.len() as u64, "count and query differ");
    Ok(found)
}

fn messages<const N: usize>(messages: [&str; N]) -> Vec<NewActivityLogEntry> {
    messages.map(|message| NewActivityLogEntry::new("system", "note", "alice", message)).to_vec()
}

fn containing(term: &str) -> ActivityLogFilters {
    ActivityLogFilters { message_contains: Some(term.to_owned()), ..everything() }
}

fn times<const N: usize>(times: [&str; N]) -> TestResult<Vec<NewActivityLogEntry>> {
    times.into_iter().enumerate().map(|(number, ts)| Ok(numbered(number as i64).ts(at(ts)?))).collect()
}

pub(crate) fn since(ts: &str) -> TestResult<ActivityLogFilters> {
    Ok(ActivityLogFilters { since: Some(at(ts)?), ..everything() })
}

pub(crate) fn until(ts: &str) -> TestResult<ActivityLogFilters> {
    Ok(ActivityLogFilters { until: Some(at(ts)?), ..everything() })
}

/// Eighty entries that combine each value of each field with each value of every other field.
fn mixed() -> TestResult<Vec<NewActivityLogEntry>> {
    (0..80_i64)
        .map(|n| {
            let pick = |[zero, one]: [&'static str; 2], bit: i64| if n >> bit & 1 == 1 { one } else { zero };
            let mut entry = NewActivityLogEntry::new(pick(["auth", "device"], 0), "act", pick(["alice", "bob"], 2), "")
                .id(format!("al_{n:08x}"))
                .ts(at("2026-01-01T00:00:00Z")? + chrono::TimeDelta::minutes(n))
                .severity(if n >> 1 & 1 == 1 { ActivitySeverity::Error } else { ActivitySeverity::Info });
            entry.message = format!("{} number {n}", pick(["Started", "Stopped"], 5));
            entry.metadata.insert("remainder".to_owned(), (n % 5).into());
            entry.entity_type = (n % 6 != 0).then(|| pick(["lamp", "strip"], 3).to_owned());
            entry.entity_id = (n % 7 != 0).then(|| pick(["1", "2"], 4).to_owned());
            Ok(entry)
        })
        .collect()
}

type Passes = fn(&NewActivityLogEntry) -> bool;

/// One use of every filter, with a predicate for the entries that the filter should pass.
fn one_of_each() -> TestResult<Vec<(ActivityLogFilters, Passes)>> {
    Ok(vec![
        (ActivityLogFilters { categories: vec!["device".into()], ..everything() }, |entry| {
            entry.category == ActivityCategory::Device
        }),
        (ActivityLogFilters { severities: vec![ActivitySeverity::Error], ..everything() }, |entry| {
            entry.severity == ActivitySeverity::Error
        }),
        (ActivityLogFilters { exclude_categories: vec!["auth".into(), "none".into()], ..everything() }, |entry| {
            entry.category == ActivityCategory::Device
        }),
        (ActivityLogFilters { exclude_severities: vec![ActivitySeverity::Info], ..everything() }, |entry| {
            entry.severity == ActivitySeverity::Error
        }),
        (ActivityLogFilters { actor: Some("bob".to_owned()), ..everything() }, |entry| entry.actor == "bob"),
        (ActivityLogFilters { entity_type: Some("lamp".to_owned()), ..everything() }, |entry| {
            entry.entity_type.as_deref() == Some("lamp")
        }),
        (ActivityLogFilters { entity_id: Some("2".to_owned()), ..everything() }, |entry| {
            entry.entity_id.as_deref() == Some("2")
        }),
        (since("2026-01-01T00:20:00Z")?, |entry| entry.ts.to_rfc3339().as_str() >= "2026-01-01T00:20:00"),
        (until("2026-01-01T01:05:00Z")?, |entry| entry.ts.to_rfc3339().as_str() < "2026-01-01T01:06:00"),
        (containing("stop"), |entry| entry.message.starts_with("Stopped")),
        (
            ActivityLogFilters { metadata: numbered(1).metadata_value("remainder", 0).metadata, ..everything() },
            |entry| entry.metadata.get("remainder").is_some_and(|remainder| *remainder == 0),
        ),
    ])
}

/// Both restrictions. Each must set a different field.
fn both(one: &ActivityLogFilters, other: &ActivityLogFilters) -> ActivityLogFilters {
    let (one, other) = (one.clone(), other.clone());
    ActivityLogFilters {
        categories: [one.categories, other.categories].concat(),
        exclude_categories: [one.exclude_categories, other.exclude_categories].concat(),
        severities: [one.severities, other.severities].concat(),
        exclude_severities: [one.exclude_severities, other.exclude_severities].concat(),
        actions: [one.actions, other.actions].concat(),
        exclude_actions: [one.exclude_actions, other.exclude_actions].concat(),
        actor: one.actor.or(other.actor),
        actors: [one.actors, other.actors].concat(),
        exclude_actors: [one.exclude_actors, other.exclude_actors].concat(),
        entity_type: one.entity_type.or(other.entity_type),
        exclude_entity_types: [one.exclude_entity_types, other.exclude_entity_types].concat(),
        entity_id: one.entity_id.or(other.entity_id),
        since: one.since.or(other.since),
        until: one.until.or(other.until),
        message_contains: one.message_contains.or(other.message_contains),
        metadata: one.metadata.into_iter().chain(other.metadata).collect(),
    }
}

fn expected(entries: &[NewActivityLogEntry], passes: impl Fn(&NewActivityLogEntry) -> bool) -> Vec<i64> {
    (1..=i64::MAX)
        .zip(entries)
        .filter(|(_, entry)| passes(entry))
        .map(|(seq, _)| seq)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect()
}

#[test]
fn no_filter_matches_everything() -> TestResult {
    assert_eq!(matching(&mixed()?, &everything())?, (1..=80).rev().collect::<Vec<_>>());
    Ok(())
}

#[test]
fn each_filter_alone_passes_the_entries_it_describes() -> TestResult {
    let entries = mixed()?;
    for (filters, passes) in one_of_each()? {
        let expected = expected(&entries, passes);
        assert!(!expected.is_empty() && expected.len() < 80, "{filters:?} does not distinguish the entries");
        assert_eq!(matching(&entries, &filters)?, expected, "{filters:?}");
    }
    Ok(())
}

#[test]
fn every_pair_of_filters_passes_the_entries_that_match_both() -> TestResult {
    let entries = mixed()?;
    let filters = one_of_each()?;
    for (place, (one, one_passes)) in filters.iter().enumerate() {
        for (other, other_passes) in filters.iter().skip(place + 1) {
            let expected = expected(&entries, |entry| one_passes(entry) && other_passes(entry));
            assert!(!expected.is_empty(), "no entry matches both {one:?} and {other:?}");
            assert_eq!(matching(&entries, &both(one, other))?, expected, "{one:?} {other:?}");
        }
    }
    Ok(())
}

#[test]
fn all_filters_together_pass_the_entries_that_match_all() -> TestResult {
    let entries = mixed()?;
    let filters = one_of_each()?;
    let all = filters.iter().fold(everything(), |all, (one, _)| both(&all, one));
    let expected = expected(&entries, |entry| filters.iter().all(|(_, passes)| passes(entry)));
    assert!(!expected.is_empty());
    assert_eq!(matching(&entries, &all)?, expected);
    Ok(())
}

#[test]
fn query_page_count_and_export_share_their_filters() -> TestResult {
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    log.record_all(&mixed()?)?;
    for (filters, _) in one_of_each()? {
        let newest_first = log.query(&filters, None, 1_000)?;
        assert_eq!(log.page(&filters, None, 1_000)?.entries, newest_first);
        assert_eq!(log.count(&filters)?, newest_first.len() as u64);

        let oldest_first = newest_first.into_iter().rev().collect::<Vec<ActivityLogEntry>>();
        assert_eq!(log.query_after(&filters, 0, 1_000)?, oldest_first);
        assert_eq!(log.iter_export(&filters)?.collect::<activity_log::Result<Vec<_>>>()?, oldest_first);
    }
    Ok(())
}

#[test]
fn a_list_matches_any_of_its_values() -> TestResult {
    let entries = ["auth", "device", "billing", "system", "auth"]
        .map(|category| NewActivityLogEntry::new(category, "act", "alice", "Acted"));
    let filters = ActivityLogFilters { categories: vec!["auth".into(), "billing".into()], ..everything() };
    assert_eq!(matching(&entries, &filters)?, [5, 3, 1]);

    let entries = [ActivitySeverity::Info, ActivitySeverity::Warning, ActivitySeverity::Error]
        .map(|severity| NewActivityLogEntry::new("auth", "act", "alice", "Acted").severity(severity));
    let severities = vec![ActivitySeverity::Error, ActivitySeverity::Info, ActivitySeverity::Error];
    assert_eq!(matching(&entries, &ActivityLogFilters { severities, ..everything() })?, [3, 1]);
    Ok(())
}

#[test]
fn an_excluded_entity_type_excludes_no_entry_without_one() -> TestResult {
    let without_type = |number| NewActivityLogEntry { entity_type: None, entity_id: None, ..numbered(number) };
    let entries = [without_type(1), numbered(2).entity("lamp", "1"), numbered(3).entity("Lamp", "1"), without_type(4)];
    let excluding = |types: &[&str]| types.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let filters = ActivityLogFilters { exclude_entity_types: excluding(&["lamp", "none"]), ..everything() };
    assert_eq!(matching(&entries, &filters)?, [4, 3, 1]);
    let contradicting = ActivityLogFilters { entity_type: Some("lamp".to_owned()), ..filters };
    assert_eq!(matching(&entries, &contradicting)?, [0; 0]);
    let of_id = ActivityLogFilters {
        entity_id: Some("1".to_owned()),
        exclude_entity_types: excluding(&["lamp"]),
        ..everything()
    };
    assert_eq!(matching(&entries, &of_id)?, [3]);
    Ok(())
}

#[test]
fn a_text_filter_matches_the_whole_value_exactly() -> TestResult {
    let entries =
        ["alice", "Alice", "alice ", "al", "alice%"].map(|actor| NewActivityLogEntry::new("auth", "a", actor, "m"));
    let filters = ActivityLogFilters { actor: Some("alice".to_owned()), ..everything() };
    assert_eq!(matching(&entries, &filters)?, [1]);
    Ok(())
}

#[test]
fn an_empty_text_restricts_nothing_in_any_filter() -> TestResult {
    let entries = [numbered(1), numbered(2).entity("", ""), numbered(3).entity("lamp", "1")];
    let empty = || Some(String::new());
    let list = || vec![String::new()];
    for filters in [
        ActivityLogFilters { categories: vec!["".into()], ..everything() },
        ActivityLogFilters { exclude_categories: vec!["".into()], ..everything() },
        ActivityLogFilters { actions: list(), ..everything() },
        ActivityLogFilters { exclude_actions: list(), ..everything() },
        ActivityLogFilters { actor: empty(), ..everything() },
        ActivityLogFilters { actors: list(), ..everything() },
        ActivityLogFilters { exclude_actors: list(), ..everything() },
        ActivityLogFilters { exclude_entity_types: list(), ..everything() },
        ActivityLogFilters { entity_type: empty(), ..everything() },
        ActivityLogFilters { entity_id: empty(), ..everything() },
        ActivityLogFilters { message_contains: empty(), ..everything() },
    ] {
        assert_eq!(matching(&entries, &filters)?, [3, 2, 1], "{filters:?}");
    }
    Ok(())
}

#[test]
fn a_filter_finds_an_entry_by_its_recorded_text_including_nul() -> TestResult {
    let entries = [
        NewActivityLogEntry::new("cat\0", "act", "ali\0ce", "Said \0 nothing").entity("ty\0pe", "i\0d"),
        NewActivityLogEntry::new("auth", "act", "alice", "Said nothing"),
    ];
    for filters in [
        ActivityLogFilters { categories: vec!["cat\0".into()], ..everything() },
        ActivityLogFilters { categories: vec!["cat\0".into(), "none".into()], ..everything() },
        ActivityLogFilters { actor: Some("ali\0ce".to_owned()), ..everything() },
        ActivityLogFilters { entity_type: Some("ty\0pe".to_owned()), ..everything() },
        ActivityLogFilters { entity_id: Some("i\0d".to_owned()), ..everything() },
        containing("\0 noth"),
    ] {
        assert_eq!(matching(&entries, &filters)?, [1], "{filters:?}");
    }
    Ok(())
}

#[test]
fn both_time_bounds_are_inclusive() -> TestResult {
    let entries = times([
        "2026-01-01T00:00:00.999999Z",
        "2026-01-01T00:00:01Z",
        "2026-01-01T00:00:01.000001Z",
        "2026-01-01T00:00:02Z",
        "2026-01-01T00:00:02.000001Z",
    ])?;
    let second = "2026-01-01T00:00:01Z";
    assert_eq!(matching(&entries, &since(second)?)?, [5, 4, 3, 2]);
    assert_eq!(matching(&entries, &until(second)?)?, [2, 1]);
    assert_eq!(matching(&entries, &both(&since(second)?, &until("2026-01-01T00:00:02Z")?))?, [4, 3, 2]);
    assert_eq!(matching(&entries, &both(&since(second)?, &until(second)?))?, [2]);
    Ok(())
}

#[test]
fn a_bound_finer_than_a_microsecond_is_exact() -> TestResult {
    let entries = times(["2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:00.000002Z"])?;
    assert_eq!(matching(&entries, &since("2026-01-01T00:00:00.000001001Z")?)?, [2]);
    assert_eq!(matching(&entries, &since("2026-01-01T00:00:00.000001000Z")?)?, [2, 1]);
    assert_eq!(matching(&entries, &until("2026-01-01T00:00:00.000001999Z")?)?, [1]);
    assert_eq!(matching(&entries, &until("2026-01-01T00:00:00.000000999Z")?)?, Vec::<i64>::new());
    Ok(())
}

#[test]
fn a_bound_that_rounds_up_to_a_whole_second_still_excludes_earlier_entries() -> TestResult {
    let entries = times(["2026-12-31T23:59:59.999999Z", "2027-01-01T00:00:00Z"])?;
    assert_eq!(matching(&entries, &since("2026-12-31T23:59:59.999999001Z")?)?, [2]);
    Ok(())
}

#[test]
fn a_bound_on_a_leap_second_finds_the_entry_recorded_with_it() -> TestResult {
    let leap = "2016-12-31T23:59:60.5Z";
    let entries = times(["2016-12-31T23:59:59Z", leap, "2017-01-01T00:00:00Z"])?;
    assert_eq!(matching(&entries, &since(leap)?)?, [3, 2]);
    assert_eq!(matching(&entries, &until(leap)?)?, [2, 1]);
    Ok(())
}

#[test]
fn a_bound_outside_the_storable_years_restricts_nothing_or_everything() -> TestResult {
    let entries = times(["0001-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])?;
    let far_past = Some(chrono::DateTime::<chrono::Utc>::MIN_UTC);
    let far_future = Some(chrono::DateTime::<chrono::Utc>::MAX_UTC);
    let year_10000 = Some(at("9999-12-31T23:59:59.999999Z")? + chrono::TimeDelta::nanoseconds(1));
    let all = vec![3, 2, 1];
    for (filters, expected) in [
        (ActivityLogFilters { since: far_past, ..everything() }, &all),
        (ActivityLogFilters { until: far_future, ..everything() }, &all),
        (ActivityLogFilters { until: year_10000, ..everything() }, &all),
        (ActivityLogFilters { since: far_future, ..everything() }, &vec![]),
        (ActivityLogFilters { since: year_10000, ..everything() }, &vec![]),
        (ActivityLogFilters { until: far_past, ..everything() }, &vec![]),
    ] {
        assert_eq!(&matching(&entries, &filters)?, expected, "{filters:?}");
    }
    Ok(())
}

#[test]
fn wildcards_and_backslashes_in_a_term_match_themselves() -> TestResult {
    let entries = messages(["100% sure", "100 sure", "snake_case", "snakeXcase", r"C:\temp", "C:temp", r"\%_"]);
    for (term, expected) in [
        ("0%", vec![1]),
        ("e_c", vec![3]),
        (r":\t", vec![5]),
        (r"\", vec![7, 5]),
        (r"\%", vec![7]),
        ("%_", vec![7]),
        ("%", vec![7, 1]),
        ("_", vec![7, 3]),
    ] {
        assert_eq!(matching(&entries, &containing(term))?, expected, "{term}");
    }
    Ok(())
}

#[test]
fn a_term_matches_ascii_letters_in_either_case_and_other_letters_exactly() -> TestResult {
    let entries = messages(["Äpfel und BIRNEN", "äpfel und birnen", "Kelvin \u{212A}"]);
    assert_eq!(matching(&entries, &containing("Birnen"))?, [2, 1]);
    assert_eq!(matching(&entries, &containing("Äpfel"))?, [1]);
    assert_eq!(matching(&entries, &containing("äPFEL"))?, [2]);
    assert_eq!(matching(&entries, &containing("\u{212A}"))?, [3]);
    Ok(())
}

#[test]
fn an_empty_term_restricts_nothing() -> TestResult {
    assert_eq!(matching(&messages(["a", ""]), &containing(""))?, [2, 1]);
    Ok(())
}

#[test]
fn a_term_of_any_length_is_literal() -> TestResult {
    // SQLite limits a LIKE pattern to 50,000 bytes, including the two wildcards.
    for length in [49_997, 49_998, 49_999, 50_000, 65_000] {
        let term = format!("X{}", "y".repeat(length - 1));
        let entries = messages([&format!("before {} after", term.to_ascii_uppercase()), &term.replace('y', "_"), "no"]);
        assert_eq!(matching(&entries, &containing(&term))?, [1], "{length}");
    }
    let percents = "%".repeat(30_000);
    assert_eq!(matching(&messages([&percents, &"x".repeat(30_000)]), &containing(&percents))?, [1]);
    Ok(())
}

#[test]
fn characters_that_like_confuses_are_distinguished() -> TestResult {
    let entries = messages(["a \u{FFFD} B", "a \u{FFFE} B", "a \u{FFFF} B"]);
    assert_eq!(matching(&entries, &containing("A \u{FFFD} b"))?, [1]);
    assert_eq!(matching(&entries, &containing("A \u{FFFE} b"))?, [2]);
    assert_eq!(matching(&entries, &containing("A \u{FFFF} b"))?, [3]);
    Ok(())
}

#[test]
fn too_many_beginnings_of_actions_are_refused_by_field() -> TestResult {
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let beginnings = |count: usize| (0..count).map(|number| format!("{number}.*")).collect::<Vec<_>>();
    for count in [200, 201, 32_000] {
        for (field, filters) in [
            ("actions", ActivityLogFilters { actions: beginnings(count), ..everything() }),
            ("exclude_actions", ActivityLogFilters { exclude_actions: beginnings(count), ..everything() }),
        ] {
            let answers = [
                log.page(&filters, None, 10).map(drop),
                log.count(&filters).map(drop),
                log.facets(&filters, Facet::Action, 10).map(drop),
            ];
            for answer in answers {
                match answer {
                    Ok(()) => assert_eq!(count, 200, "{field}"),
                    Err(Error::InvalidFilter { field: named, .. }) => assert_eq!((named, count > 200), (field, true)),
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    Ok(())
}

#[test]
fn a_value_that_is_asked_for_and_excluded_matches_nothing() -> TestResult {
    let entries = [numbered(1), numbered(2)];
    let category: ActivityCategory = numbered(1).category;
    let severity = numbered(1).severity;
    for filters in [
        ActivityLogFilters {
            categories: vec![category.clone()],
            exclude_categories: vec![category.clone()],
            ..everything()
        },
        ActivityLogFilters { severities: vec![severity], exclude_severities: vec![severity], ..everything() },
        ActivityLogFilters { exclude_severities: ActivitySeverity::ALL.to_vec(), ..everything() },
    ] {
        assert_eq!(matching(&entries, &filters)?, [0_i64; 0], "{filters:?}");
    }
    let rest =
        ActivityLogFilters { categories: vec![category], exclude_categories: vec!["other".into()], ..everything() };
    assert_eq!(matching(&entries, &rest)?, [2, 1]);
    Ok(())
}

#[test]
fn too_many_excluded_categories_are_refused_by_field() -> TestResult {
    let mut conn = empty_log()?;
    let categories = (0..32_001).map(|number| ActivityCategory::from(format!("category {number}"))).collect();
    let filters = ActivityLogFilters { exclude_categories: categories, ..everything() };
    match ActivityLogRepository::new(&mut conn).count(&filters) {
        Err(Error::InvalidFilter { field, .. }) => assert_eq!(field, "exclude_categories"),
        other => return Err(format!("{other:?}").into()),
    }
    Ok(())
}
