//! Which routes a viewer has.

/// What clients may do beyond reading: see [`Viewer::routes`](crate::Viewer::routes).
///
/// ```
/// use activity_log_axum::Routes;
///
/// // Reading and exporting.
/// assert_eq!(Routes::default(), Routes::read_only().export());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Routes {
    pub(crate) has_export: bool,
    pub(crate) has_record: bool,
    pub(crate) has_clear: bool,
    pub(crate) has_retention: bool,
    pub(crate) has_status: bool,
}

impl Default for Routes {
    /// Reading and exporting.
    fn default() -> Self {
        Self::read_only().export()
    }
}

impl Routes {
    /// Pages, single entries, counts, charts, the stream and the status.
    pub const fn read_only() -> Self {
        Self { has_export: false, has_record: false, has_clear: false, has_retention: false, has_status: true }
    }

    /// Also exports of the whole log, each of which is recorded.
    pub const fn export(self) -> Self {
        Self { has_export: true, ..self }
    }

    /// Also recording entries by POST.
    pub const fn record(self) -> Self {
        Self { has_record: true, ..self }
    }

    /// Also deleting all entries, which is recorded.
    pub const fn clear(self) -> Self {
        Self { has_clear: true, ..self }
    }

    /// Also changing how long entries are kept, where the host has a [`Retention`](crate::Retention). Each change is
    /// recorded.
    pub const fn change_retention(self) -> Self {
        Self { has_retention: true, ..self }
    }

    /// Without the status of the log, for hosts whose readers are not its operators.
    pub const fn without_status(self) -> Self {
        Self { has_status: false, ..self }
    }

    /// Only those that write nothing.
    pub(crate) const fn without_writes(self) -> Self {
        Self { has_record: false, has_clear: false, has_retention: false, ..self }
    }
}
