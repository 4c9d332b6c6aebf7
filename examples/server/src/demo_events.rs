//! What happens in the demonstration: a house with lamps, and the people who look after it.

use activity_log::ActivitySeverity::{self, Error, Info, Warning};

pub(crate) const ACTORS: &[&str] =
    &["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "mallory", "night-shift"];

/// Things of one kind: their ids and names.
#[derive(Debug)]
pub(crate) struct Entities {
    pub(crate) kind: &'static str,
    pub(crate) items: &'static [(&'static str, &'static str)],
}

/// Something that happens, as often among others of its severity as `weight` says.
///
/// `{actor}` and `{entity}` in the message stand for their names.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) category: &'static str,
    pub(crate) action: &'static str,
    pub(crate) severity: ActivitySeverity,
    pub(crate) weight: u64,
    pub(crate) message: &'static str,
    /// Who, if it is not one of the people.
    pub(crate) by: Option<&'static str>,
    pub(crate) entities: &'static Entities,
    /// Keys, and the values that they may have.
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
    items: &[
        ("src_1", "Main screen"),
        ("src_2", "Second screen"),
        ("src_3", "Projector"),
        ("src_4", "Window of the game"),
    ],
};

const BACKUPS: Entities =
    Entities { kind: "backup", items: &[("bak_1", "Nightly backup"), ("bak_2", "Weekly backup")] };

/// An event by one of the people.
const fn by_somebody(
    (category, action): (&'static str, &'static str),
    (severity, weight): (ActivitySeverity, u64),
    message: &'static str,
    entities: &'static Entities,
    metadata: &'static [(&'static str, &'static [&'static str])],
) -> Event {
    Event { category, action, severity, weight, message, by: None, entities, metadata }
}

/// An event that the server brings about itself.
const fn by_itself(
    names: (&'static str, &'static str),
    odds: (ActivitySeverity, u64),
    message: &'static str,
    entities: &'static Entities,
    metadata: &'static [(&'static str, &'static [&'static str])],
) -> Event {
    Event { by: Some("system"), ..by_somebody(names, odds, message, entities, metadata) }
}

const BROWSERS: &[&str] = &["Firefox on Linux", "Safari on iPhone", "Chrome on Windows", "Edge on Windows"];

pub(crate) const EVENTS: &[Event] = &[
    by_somebody(("auth", "user.signed_in"), (Info, 16), "{actor} signed in", &NONE, &[("browser", BROWSERS)]),
    by_somebody(("auth", "user.signed_out"), (Info, 9), "{actor} signed out", &NONE, &[("browser", BROWSERS)]),
    by_somebody(
        ("auth", "token.created"),
        (Info, 1),
        "{actor} created an access token",
        &NONE,
        &[("scope", &["read", "write"])],
    ),
    by_somebody(
        ("device", "device.updated"),
        (Info, 14),
        "{actor} changed the brightness of {entity}",
        &DEVICES,
        &[("previous", &["10 %", "30 %", "55 %"]), ("brightness", &["20 %", "40 %", "75 %", "100 %"])],
    ),
    by_itself(
        ("device", "device.connected"),
        (Info, 10),
        "{entity} is connected",
        &DEVICES,
        &[("firmware", &["2.4.1", "2.5.0", "2.5.3"])],
    ),
    by_somebody(
        ("device", "device.created"),
        (Info, 2),
        "{actor} added {entity}",
        &DEVICES,
        &[("protocol", &["DDP", "Art-Net", "serial"])],
    ),
    by_somebody(("entity", "scene.activated"), (Info, 15), "{actor} switched on the scene {entity}", &SCENES, &[]),
    by_somebody(
        ("entity", "scene.updated"),
        (Info, 6),
        "{actor} changed the scene {entity}",
        &SCENES,
        &[("changed", &["colours", "name", "schedule", "devices"])],
    ),
    by_somebody(("entity", "scene.deleted"), (Info, 1), "{actor} deleted the scene {entity}", &SCENES, &[]),
    by_somebody(
        ("capture", "capture.started"),
        (Info, 9),
        "{actor} started to capture {entity}",
        &SOURCES,
        &[("frames_per_second", &["30", "60"])],
    ),
    by_itself(
        ("capture", "capture.stopped"),
        (Info, 8),
        "The capture of {entity} ended",
        &SOURCES,
        &[("reason", &["stopped by hand", "the screen was locked", "the scene ended"])],
    ),
    by_itself(
        ("system", "backup.finished"),
        (Info, 5),
        "{entity} is finished",
        &BACKUPS,
        &[("size", &["4.1 MB", "4.3 MB", "4.4 MB"])],
    ),
    by_somebody(
        ("system", "settings.updated"),
        (Info, 3),
        "{actor} changed the settings",
        &NONE,
        &[("changed", &["language", "time zone", "retention", "theme"])],
    ),
    by_somebody(
        ("auth", "user.sign_in_failed"),
        (Warning, 8),
        "Wrong password for {actor}",
        &NONE,
        &[("browser", BROWSERS)],
    ),
    by_itself(
        ("device", "device.slow"),
        (Warning, 7),
        "{entity} answers slowly",
        &DEVICES,
        &[("latency", &["420 ms", "780 ms", "1,300 ms"])],
    ),
    by_itself(
        ("capture", "capture.frames_dropped"),
        (Warning, 6),
        "{entity} drops frames",
        &SOURCES,
        &[("dropped", &["3 %", "7 %", "12 %"])],
    ),
    by_itself(
        ("system", "disk.low"),
        (Warning, 2),
        "Less than a tenth of the disk is free",
        &NONE,
        &[("free", &["1.9 GB", "1.4 GB"])],
    ),
    by_somebody(("entity", "scene.conflict"), (Warning, 2), "{actor} overwrote a change of {entity}", &SCENES, &[]),
    by_itself(
        ("device", "device.lost"),
        (Error, 8),
        "{entity} does not answer any more",
        &DEVICES,
        &[("cause", &["timed out", "connection refused", "no route to host"])],
    ),
    by_itself(
        ("capture", "capture.failed"),
        (Error, 4),
        "{entity} cannot be captured",
        &SOURCES,
        &[("cause", &["permission denied", "the source is gone"])],
    ),
    by_itself(
        ("system", "backup.failed"),
        (Error, 2),
        "{entity} failed",
        &BACKUPS,
        &[("cause", &["the disk is full"])],
    ),
    by_somebody(
        ("auth", "user.locked_out"),
        (Error, 2),
        "{actor} is locked out after five wrong passwords",
        &NONE,
        &[],
    ),
];
