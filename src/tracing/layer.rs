use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Level, LevelFilter, Subscriber};
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::context::actor_context::ActorContext;
use crate::context::current;
use crate::error::Result;
use crate::error::recorder::RecorderError;
use crate::model::category::ActivityCategory;
use crate::model::entry::NewActivityLogEntry;
use crate::model::severity::ActivitySeverity;
use crate::recorder::Recorder;
use crate::tracing::fields::{Fields, MESSAGE};
use crate::tracing::filter::TracingFilter;

/// A layer for `tracing-subscriber` that records certain events through a [`Recorder`], and never makes the thread
/// that logs wait for the log.
///
/// ```
/// use std::time::Duration;
///
/// use activity_log::{QueuePolicy, Recorder, RecorderOptions, TracingLayer};
/// use tracing_subscriber::prelude::*;
///
/// # fn main() -> activity_log::Result<()> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let database = folder.path().join("server.db").display().to_string();
/// # activity_log::run_migrations(&mut activity_log::connect(&database)?)?;
/// let options = RecorderOptions::new().policy(QueuePolicy::DropNewest);
/// let recorder = Recorder::start(move || activity_log::connect(&database), options)?;
/// let layer = TracingLayer::new(recorder.clone())?.target("audit");
/// let subscriber = tracing_subscriber::registry().with(layer.filtered());
/// # tracing::subscriber::with_default(subscriber, || {
/// // Once, at the start: `subscriber.init();`
///
/// let request = tracing::info_span!("request", request_id = "r-81", actor = "alice");
/// request.in_scope(|| {
///     tracing::info!(
///         target: "audit", category = "device", action = "device.renamed", entity_type = "device", entity_id = 7,
///         name = "Desk lamp", "Renamed the lamp",
///     );
/// });
/// # });
///
/// // On SIGTERM. The subscriber holds a handle of the recorder for as long as the program runs.
/// assert!(recorder.shutdown(Duration::from_secs(10)).is_empty());
/// # Ok(())
/// # }
/// ```
///
/// # Which events
///
/// Those with one of the [targets](Self::target) or [fields](Self::field), if their level is `INFO`, `WARN` or `ERROR`
/// ([`max_level`](Self::max_level) changes that). [`filtered`](Self::filtered) adds a filter, so that other events
/// cost nothing.
///
/// # What becomes of them
///
/// | of the event | in the entry |
/// |---|---|
/// | `message` | the message; without one, the action |
/// | level | the severity: `ERROR` is an error, `WARN` a warning, all else an info |
/// | `category` | the category; without one, [what the layer says](Self::category) |
/// | `action` | the action; without one, the target |
/// | `actor` | the actor; without one, that of the [`ActorContext`](crate::ActorContext), or `system` |
/// | `entity_type`, `entity_id`, `entity_name` | the same |
/// | any other field | the metadata, added to that of the context |
///
/// Fields of the spans around an event count as its own, except `message`. The event's own fields win over its spans',
/// and an inner span's over an outer one's.
///
/// Numbers, booleans and texts keep their type, other values are printed. A message is cut after 16 KiB and a field
/// after 4 KiB, and ends with [`LEFT_OUT`](crate::LEFT_OUT) then. Secrets are masked by the recorder's
/// [redactor](crate::RecorderOptions::redactor).
///
/// # What is lost
///
/// Nobody waits for the receipts. If the queue is full, the policy [`DropNewest`](crate::QueuePolicy::DropNewest)
/// leaves an entry that says so, while [`Refuse`](crate::QueuePolicy::Refuse) only counts in
/// [`health`](Recorder::health), as do entries that cannot be stored.
///
/// Events in the thread of a recorder are not recorded, so that a recorder whose callbacks log never feeds itself.
pub struct TracingLayer {
    recorder: Recorder,
    filter: TracingFilter,
    category: ActivityCategory,
}

impl TracingLayer {
    /// A layer that records no event until [`target`](Self::target) or [`field`](Self::field) says which.
    ///
    /// # Errors
    ///
    /// [`RecorderError::WouldBlock`] if the recorder's policy is [`Block`](crate::QueuePolicy::Block), which is the
    /// default: the thread that logs would wait for room in the queue.
    pub fn new(recorder: Recorder) -> Result<Self> {
        if recorder.may_block() {
            return Err(RecorderError::WouldBlock.into());
        }
        let filter = TracingFilter { targets: Vec::new(), fields: Vec::new(), max_level: LevelFilter::INFO };
        Ok(Self { recorder, filter, category: ActivityCategory::System })
    }

    /// Records the events with this target, and with those below it: `audit` also stands for `audit::devices`. More
    /// calls add more targets.
    #[must_use]
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.filter.targets.push(target.into());
        self
    }

    /// Records the events that have a field of this name themselves, unless its value is `false`. The field does not
    /// become metadata. More calls add more fields.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>) -> Self {
        self.filter.fields.push(name.into());
        self
    }

    /// The category of events that name none. The default is `system`.
    #[must_use]
    pub fn category(mut self, category: impl Into<ActivityCategory>) -> Self {
        self.category = category.into();
        self
    }

    /// The most verbose level of the events and spans that the layer looks at. The default is `INFO`.
    #[must_use]
    pub fn max_level(mut self, level: LevelFilter) -> Self {
        self.filter.max_level = level;
        self
    }

    /// The layer with its filter, to be given to the subscriber. Without the filter, it would make the program
    /// evaluate the events and spans of all levels.
    #[must_use]
    pub fn filtered<S>(self) -> Filtered<Self, TracingFilter, S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let filter = self.filter.clone();
        self.with_filter(filter)
    }

    fn entry<S>(&self, event: &Event<'_>, context: &Context<'_, S>) -> Option<NewActivityLogEntry>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if self.filter.fields.iter().any(|name| fields.0.remove(name) == Some(Value::Bool(false))) {
            return None;
        }
        let message = fields.take_text(MESSAGE);
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(around) = span.extensions().get::<Fields>() {
                fields.add_missing(around);
            }
        }
        let ActorContext { actor, mut metadata } = current::get().map(Arc::unwrap_or_clone).unwrap_or_default();
        let category = fields.take_text("category").map_or_else(|| self.category.clone(), Into::into);
        let action = fields.take_text("action").unwrap_or_else(|| event.metadata().target().to_owned());
        let actor = fields.take_text("actor").unwrap_or(actor);
        let message = message.unwrap_or_else(|| action.clone());
        let mut entry = NewActivityLogEntry::new(category, action, actor, message);
        entry.severity = severity_of(*event.metadata().level());
        entry.entity_type = fields.take_text("entity_type");
        entry.entity_id = fields.take_text("entity_id");
        entry.entity_name = fields.take_text("entity_name");
        metadata.extend(fields.0);
        Some(entry.metadata(metadata))
    }
}

fn severity_of(level: Level) -> ActivitySeverity {
    match level {
        Level::ERROR => ActivitySeverity::Error,
        Level::WARN => ActivitySeverity::Warning,
        _ => ActivitySeverity::Info,
    }
}

impl<S> Layer<S> for TracingLayer
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        add_to_span(id, fields, &context);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        add_to_span(id, fields, &context);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if self.filter.selects(event.metadata())
            && !Recorder::is_own_thread()
            && let Some(entry) = self.entry(event, &context)
        {
            self.recorder.record(entry);
        }
    }
}

/// The values have been printed before, because a value that logs while it is printed would meet the lock of the span.
fn add_to_span<S>(id: &Id, fields: Fields, context: &Context<'_, S>)
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    if fields.0.is_empty() {
        return;
    }
    let Some(span) = context.span(id) else { return };
    let mut extensions = span.extensions_mut();
    match extensions.get_mut::<Fields>() {
        Some(former) => former.0.extend(fields.0),
        None => extensions.insert(fields),
    }
}

impl fmt::Debug for TracingLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracingLayer")
            .field("recorder", &self.recorder)
            .field("filter", &self.filter)
            .field("category", &self.category)
            .finish()
    }
}
