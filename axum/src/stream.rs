//! Follows the log: sends new entries as server-sent events.

use std::collections::VecDeque;
use std::time::Duration;

use activity_log::Error::UnreadableRow;
use activity_log::{ActivityLogEntry, ActivityLogFilters};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::app::App;
use crate::database::log::Log;
use crate::database::{Database, DatabaseError};
use crate::error::ApiError;
use crate::filters::FilterParameters;
use crate::links::Links;
use crate::live::Follower;
use crate::query::{self, StreamQuery};
use crate::unreadable::UnreadableRows;

/// How many entries are read at once, and about how many bytes of their texts. They stay in memory until the client has
/// received them.
const BATCH: u32 = 20;
const BATCH_BYTES: usize = 1 << 20;

/// How often an idle stream sends a comment to keep the connection open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How many events may wait for the client.
const BUFFERED: usize = 1;

/// How long a stream waits before it tries again what another transaction, or a lack of connections, has prevented.
const PAUSE: Duration = Duration::from_millis(500);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Follow the log: new entries that match the filters, oldest first, as server-sent events.
///
/// Each entry is an `event: entry` whose `id` is the entry's `seq` and whose `data` is the entry as one line of JSON. A
/// stored row that cannot be read is an `event: unreadable` with `{"seq": …}`. The first block has only an `id`, the
/// starting point, so that a client that is disconnected before the first event can resume. The stream continues until
/// either side closes it.
///
/// If the log has never given the `seq` that the stream is to start after, the log was restored from an older copy or
/// begun again, and what the client knows is of another log. An `event: reset` with `{"newest_seq": …}` says so, and
/// the stream continues after that entry.
#[utoipa::path(
    get, path = "/api/v1/activity-log/stream", tag = "log",
    params(
        FilterParameters,
        ("after_seq" = Option<i64>, Query, description = "Start after this entry instead of the newest"),
        ("last-event-id" = Option<i64>, Header, description = "The same, as browsers resume; overrides `after_seq`"),
    ),
    responses(
        (status = 200, description = "The events", content_type = "text/event-stream", body = String),
        (status = 501, description = "The log cannot be followed: its database is a standby"),
        (
            status = 503,
            description = "Too many clients are following the log, or a transaction has been writing to it for more than a \
                second, so that its newest entry is not certain yet; with `after_seq`, the stream begins all the same",
        ),
    ),
)]
pub(crate) async fn stream(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let StreamQuery { filters, after_seq } = StreamQuery::parse(query.as_deref())?;
    let after_seq = last_event_id(&headers)?.or(after_seq);
    app.database.check()?;
    let follower =
        app.live.follow().ok_or_else(|| ApiError::unavailable("too many clients are following the log; try again"))?;
    let cursor = match after_seq {
        Some(after_seq) => after_seq,
        None => app.database.read(|log| log.newest_seq()).await?.unwrap_or_default(),
    };
    let following = Following {
        database: app.database.clone(),
        links: app.links.clone(),
        unreadable: app.unreadable.clone(),
        follower,
        filters,
        cursor,
        pending: VecDeque::from([Event::default().id(cursor.to_string())]),
        is_behind: true,
        is_unsettled: false,
    };
    let (sender, receiver) = mpsc::channel(BUFFERED);
    tokio::spawn(following.send_to(sender, app.client_patience));
    let events = unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    // A proxy that buffers responses would delay the events.
    Ok(([("x-accel-buffering", "no")], Sse::new(events).keep_alive(keep_alive)).into_response())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, ApiError> {
    let Some(value) = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) else { return Ok(None) };
    let read = value.to_str().map_err(|_| "is not ASCII".to_owned()).and_then(query::seq);
    read.map(Some).map_err(|reason| ApiError::parameter("Last-Event-ID", reason))
}

struct Following {
    database: Database,
    links: Links,
    unreadable: UnreadableRows,
    follower: Follower,
    filters: ActivityLogFilters,
    cursor: i64,
    pending: VecDeque<Event>,
    /// Whether there may be new entries that have not been read.
    is_behind: bool,
    /// Whether there may be entries that cannot be read yet.
    is_unsettled: bool,
}

impl Following {
    /// Sends the events until either side ends the stream. A client that does not take an event within `patience` loses
    /// its place, and resumes where the stream ended.
    async fn send_to(mut self, client: mpsc::Sender<Result<Event, axum::Error>>, patience: Duration) {
        loop {
            let event = tokio::select! {
                event = self.next() => event.transpose(),
                () = client.closed() => return,
            };
            let Some(event) = event else { return };
            let is_last = event.is_err();
            if !matches!(timeout(patience, client.send(event)).await, Ok(Ok(()))) || is_last {
                return;
            }
        }
    }

    /// The next event; `None` when the server is stopping. A batch is read only after the client has received the
    /// previous batch.
    ///
    /// An error ends the stream, and the client resumes where the stream ended.
    async fn next(&mut self) -> Result<Option<Event>, axum::Error> {
        loop {
            if self.follower.is_stopping() {
                return Ok(None);
            }
            if let Some(event) = self.pending.pop_front() {
                return Ok(Some(event));
            }
            if !self.wait().await {
                return Ok(None);
            }
            self.read().await?;
        }
    }

    /// Waits until it is worth reading; returns `false` when the server is stopping.
    async fn wait(&mut self) -> bool {
        match (self.is_behind, self.is_unsettled) {
            (true, _) => true,
            (false, true) => timeout(PAUSE, self.follower.changed()).await.unwrap_or(true),
            (false, false) => self.follower.changed().await,
        }
    }

    async fn read(&mut self) -> Result<(), axum::Error> {
        let _permit = self.follower.read_permit().await;
        let (filters, cursor) = (self.filters.clone(), self.cursor);
        let batch = match self.database.read(move |log| Batch::read(log, &filters, cursor)).await {
            Err(DatabaseError::Pool(_)) => Batch { cursor, is_unsettled: true, ..Batch::default() },
            Err(error) => {
                // A lost file is reported once, not by each stream.
                if !matches!(error, DatabaseError::File(_)) {
                    tracing::error!("a stream failed: {error}");
                }
                return Err(axum::Error::new(error));
            }
            Ok(batch) => batch,
        };
        self.cursor = batch.cursor;
        self.is_behind = batch.is_full;
        self.is_unsettled = batch.is_unsettled;
        for entry in batch.entries {
            let event = Event::default().event("entry").id(entry.seq.to_string());
            self.pending.push_back(event.json_data(self.links.add_to(entry))?);
        }
        if let Some(unreadable) = batch.unreadable {
            self.unreadable.add([unreadable]);
            let data = format!("{{\"seq\":{unreadable}}}");
            self.pending.push_back(Event::default().event("unreadable").id(unreadable.to_string()).data(data));
        }
        if batch.is_reset {
            let data = format!("{{\"newest_seq\":{}}}", batch.cursor);
            self.pending.push_back(Event::default().event("reset").id(batch.cursor.to_string()).data(data));
        }
        Ok(())
    }
}

/// The entries that follow a cursor.
#[derive(Default)]
struct Batch {
    entries: Vec<ActivityLogEntry>,
    /// The `seq` of the row after these entries, if that row cannot be read.
    unreadable: Option<i64>,
    /// Where the next batch starts. It lies past the entries that do not match the filters, so that they are not read
    /// again.
    cursor: i64,
    /// Whether there may be more entries.
    is_full: bool,
    /// Whether entries that match cannot be read yet, because transactions that write to the log are under way.
    is_unsettled: bool,
    /// Whether the cursor came from another log; then this batch only moves it to the newest entry.
    is_reset: bool,
}

impl Batch {
    fn read(log: &mut dyn Log, filters: &ActivityLogFilters, after_seq: i64) -> activity_log::Result<Self> {
        // Read before the entries: an entry committed in between has a greater `seq`, so the cursor does not skip it.
        let newest = match log.newest_seq() {
            // Transactions that write to the log stay open. What is before them can be read all the same.
            Err(error) if error.is_retryable() => None,
            newest => Some(newest?.unwrap_or_default()),
        };
        // A page also looks for older entries, so it is read only where one is known to match.
        let first = match log.query_after(filters, after_seq, 1) {
            Err(UnreadableRow { seq, .. }) => {
                return Ok(Self { unreadable: Some(seq), cursor: seq, is_full: true, ..Self::default() });
            }
            first => first?,
        };
        if first.is_empty() {
            let newest = match newest {
                Some(newest) if newest <= after_seq || !matches_between(log, filters, after_seq, newest)? => newest,
                _ => return Ok(Self { cursor: after_seq, is_unsettled: true, ..Self::default() }),
            };
            // The newest entries may have been deleted: only a number that was never given tells of another log.
            if after_seq > newest && after_seq > log.last_given_seq()?.unwrap_or_default() {
                return Ok(Self { cursor: newest, is_full: true, is_reset: true, ..Self::default() });
            }
            return Ok(Self { cursor: after_seq.max(newest), ..Self::default() });
        }
        let entries = match log.page_after(filters, after_seq, BATCH, Some(BATCH_BYTES)) {
            // One unreadable row fails the whole page, so read one by one up to that row.
            Err(UnreadableRow { .. }) => first,
            page => page?.entries.into_iter().rev().collect(),
        };
        let cursor = entries.last().map_or(after_seq, |entry| entry.seq);
        Ok(Self { entries, cursor, is_full: true, ..Self::default() })
    }
}

/// Whether any entry after a `seq` and up to another one matches. `query_after` leaves out those that another transaction
/// might still precede.
fn matches_between(
    log: &mut dyn Log,
    filters: &ActivityLogFilters,
    after_seq: i64,
    through: i64,
) -> activity_log::Result<bool> {
    match log.page(filters, through.checked_add(1), 1) {
        Err(UnreadableRow { seq, .. }) => Ok(seq > after_seq),
        page => Ok(page?.entries.first().is_some_and(|entry| entry.seq > after_seq)),
    }
}
