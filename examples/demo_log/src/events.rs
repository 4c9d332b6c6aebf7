//! The events of the demonstration: a house with lamps, and the people who look after it.

use activity_log::ActivitySeverity::{self, Error, Info, Warning};

pub(crate) const ACTORS: &[&str] =
    &["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "mallory", "night-shift"];

/// The ids and names of the entities of one kind.
#[derive(Debug)]
pub(crate) struct Entities {
    pub(crate) kind: &'static str,
    pub(crate) items: &'static [(&'static str, &'static str)],
}

/// An event. Its `weight` is its frequency relative to the other events of the same severity.
///
/// In the message, `{actor}` and `{entity}` are placeholders for the names.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) category: &'static str,
    pub(crate) action: &'static str,
    pub(crate) severity: ActivitySeverity,
    pub(crate) weight: u64,
    pub(crate) message: &'static str,
    /// The actor, if not one of the people.
    pub(crate) by: Option<&'static str>,
    pub(crate) entities: &'static Entities,
    /// The keys, each with its possible values.
    pub(crate) metadata: &'static [(&'static str, &'static [&'static str])],
}

const NONE: Entities = Entities { kind: "", items: &[] };

const DEVICES: Entities = Entities {
    kind: "device",
    items: &[
        ("dev_1", "Desk lamp"),
        ("dev_2", "Hallway strip"),
        ("dev_3", "Kitchen ceiling"),
        ("dev_4", "Living room strip"),
        ("dev_5", "Garden path"),
        ("dev_6", "Studio panel left"),
        ("dev_7", "Studio panel right"),
        ("dev_8", "Café sign"),
    ],
};

const SCENES: Entities = Entities {
    kind: "scene",
    items: &[
        ("scn_1", "Morning"),
        ("scn_2", "Reading"),
        ("scn_3", "Film night"),
        ("scn_4", "Party"),
        ("scn_5", "Nobody home"),
    ],
};

const SOURCES: Entities = Entities {
    kind: "capture_source",
    items: &[("src_1", "Main screen"), ("src_2", "Second screen"), ("src_3", "Projector"), ("src_4", "Game window")],
};

const BACKUPS: Entities =
    Entities { kind: "backup", items: &[("bak_1", "Nightly backup"), ("bak_2", "Weekly backup")] };

/// An event by one of the people.
const fn by_person(
    (category, action): (&'static str, &'static str),
    (severity, weight): (ActivitySeverity, u64),
    message: &'static str,
    entities: &'static Entities,
    metadata: &'static [(&'static str, &'static [&'static str])],
) -> Event {
    Event { category, action, severity, weight, message, by: None, entities, metadata }
}

/// An event that no person causes.
const fn by_system(
    names: (&'static str, &'static str),
    odds: (ActivitySeverity, u64),
    message: &'static str,
    entities: &'static Entities,
    metadata: &'static [(&'static str, &'static [&'static str])],
) -> Event {
    Event { by: Some("system"), ..by_person(names, odds, message, entities, metadata) }
}

const BROWSERS: &[&str] = &["Firefox on Linux", "Safari on iPhone", "Chrome on Windows", "Edge on Windows"];

pub(crate) const EVENTS: &[Event] = &[
    by_person(("auth", "user.signed_in"), (Info, 16), "{actor} signed in", &NONE, &[("browser", BROWSERS)]),
    by_person(("auth", "user.signed_out"), (Info, 9), "{actor} signed out", &NONE, &[("browser", BROWSERS)]),
    by_person(
        ("auth", "token.created"),
        (Info, 1),
        "{actor} created an access token",
        &NONE,
        &[("scope", &["read", "write"])],
    ),
    by_person(
        ("device", "device.updated"),
        (Info, 14),
        "{actor} changed the brightness of {entity}",
        &DEVICES,
        &[("previous", &["10 %", "30 %", "55 %"]), ("brightness", &["20 %", "40 %", "75 %", "100 %"])],
    ),
    by_system(
        ("device", "device.connected"),
        (Info, 10),
        "{entity} connected",
        &DEVICES,
        &[("firmware", &["2.4.1", "2.5.0", "2.5.3"])],
    ),
    by_person(
        ("device", "device.created"),
        (Info, 2),
        "{actor} added {entity}",
        &DEVICES,
        &[("protocol", &["DDP", "Art-Net", "serial"])],
    ),
    by_person(("entity", "scene.activated"), (Info, 15), "{actor} activated the scene {entity}", &SCENES, &[]),
    by_person(
        ("entity", "scene.updated"),
        (Info, 6),
        "{actor} changed the scene {entity}",
        &SCENES,
        &[("changed", &["colours", "name", "schedule", "devices"])],
    ),
    by_person(("entity", "scene.deleted"), (Info, 1), "{actor} deleted the scene {entity}", &SCENES, &[]),
    by_person(
        ("capture", "capture.started"),
        (Info, 9),
        "{actor} started capturing {entity}",
        &SOURCES,
        &[("frames_per_second", &["30", "60"])],
    ),
    by_system(
        ("capture", "capture.stopped"),
        (Info, 8),
        "Stopped capturing {entity}",
        &SOURCES,
        &[("reason", &["stopped manually", "the screen was locked", "the scene ended"])],
    ),
    by_system(
        ("system", "backup.finished"),
        (Info, 5),
        "{entity} finished",
        &BACKUPS,
        &[("size", &["4.1 MB", "4.3 MB", "4.4 MB"])],
    ),
    by_person(
        ("system", "settings.updated"),
        (Info, 3),
        "{actor} changed the settings",
        &NONE,
        &[("changed", &["language", "time zone", "retention", "theme"])],
    ),
    by_person(
        ("auth", "user.sign_in_failed"),
        (Warning, 8),
        "Wrong password for {actor}",
        &NONE,
        &[("browser", BROWSERS)],
    ),
    by_system(
        ("device", "device.slow"),
        (Warning, 7),
        "{entity} responds slowly",
        &DEVICES,
        &[("latency", &["420 ms", "780 ms", "1,300 ms"])],
    ),
    by_system(
        ("capture", "capture.frames_dropped"),
        (Warning, 6),
        "{entity} is dropping frames",
        &SOURCES,
        &[("dropped", &["3 %", "7 %", "12 %"])],
    ),
    by_system(
        ("system", "disk.low"),
        (Warning, 2),
        "Less than a tenth of the disk is free",
        &NONE,
        &[("free", &["1.9 GB", "1.4 GB"])],
    ),
    by_person(("entity", "scene.conflict"), (Warning, 2), "{actor} overwrote a change to {entity}", &SCENES, &[]),
    by_system(
        ("device", "device.lost"),
        (Error, 8),
        "{entity} no longer responds",
        &DEVICES,
        &[("cause", &["timed out", "connection refused", "no route to host"])],
    ),
    by_system(
        ("capture", "capture.failed"),
        (Error, 4),
        "{entity} cannot be captured",
        &SOURCES,
        &[("cause", &["permission denied", "the source no longer exists"])],
    ),
    by_system(
        ("system", "backup.failed"),
        (Error, 2),
        "{entity} failed",
        &BACKUPS,
        &[("cause", &["the disk is full"])],
    ),
    by_person(("auth", "user.locked_out"), (Error, 2), "{actor} is locked out after five wrong passwords", &NONE, &[]),
];
