//! The description of the filters, which every route that reads the log shares. `ActivityLogFilters` reads them.

use utoipa::IntoParams;

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct FilterParameters {
    /// Any of these categories, separated by commas: `auth`, `device`, `entity`, `capture`, `system`, or the host's own.
    /// In this and every other list, `\,` stands for a comma within an item, and the parameter may be repeated instead.
    #[param(example = "auth,device", max_length = 1000)]
    categories: Option<String>,
    /// None of these categories, written like `categories`.
    #[param(example = "system", max_length = 1000)]
    exclude_categories: Option<String>,
    /// Any of these severities, separated by commas: `info`, `warning`, `error`.
    #[param(
        example = "warning,error",
        max_length = 1000,
        pattern = "^((info|warning|error)(,(info|warning|error))*)?$"
    )]
    severities: Option<String>,
    /// None of these severities, written like `severities`.
    #[param(example = "info", max_length = 1000, pattern = "^((info|warning|error)(,(info|warning|error))*)?$")]
    exclude_severities: Option<String>,
    /// Any of these actions, separated by commas. `user.*` is every action that begins with `user.`.
    #[param(example = "user.*,device.lost", max_length = 1000)]
    actions: Option<String>,
    /// None of these actions, written like `actions`.
    #[param(example = "heartbeat.*", max_length = 1000)]
    exclude_actions: Option<String>,
    /// The exact actor.
    #[param(max_length = 1000)]
    actor: Option<String>,
    /// Any of these actors, separated by commas.
    #[param(example = "alice,bob", max_length = 1000)]
    actors: Option<String>,
    /// None of these actors, separated by commas.
    #[param(example = "cron", max_length = 1000)]
    exclude_actors: Option<String>,
    /// The exact entity type.
    #[param(max_length = 1000)]
    entity_type: Option<String>,
    /// None of these entity types, separated by commas; entries without one are not excluded.
    #[param(example = "session", max_length = 1000)]
    exclude_entity_types: Option<String>,
    /// The exact entity id.
    #[param(max_length = 1000)]
    entity_id: Option<String>,
    /// The earliest time, inclusive, in RFC 3339.
    #[param(example = "2026-01-31T00:00:00Z", format = DateTime)]
    since: Option<String>,
    /// The latest time, inclusive, in RFC 3339.
    #[param(example = "2026-01-31T23:59:59Z", format = DateTime)]
    until: Option<String>,
    /// Literal text that the message contains; ASCII letters match in either case.
    #[param(max_length = 1000)]
    message_contains: Option<String>,
    /// A JSON object of at most 10 members, all of which the entry's metadata has, in its own object or in one within it,
    /// with exactly this value: `1` is not `1.0`. No key may begin with `,`, `:`, `]` or `}`.
    #[param(example = r#"{"ip":"10.0.0.7"}"#, max_length = 1000)]
    metadata: Option<String>,
}
