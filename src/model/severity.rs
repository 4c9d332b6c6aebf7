use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How much an entry matters: `Info < Warning < Error`.
///
/// The vocabulary is closed. A stored row with any other severity is reported as
/// [`Error::UnreadableRow`](crate::Error::UnreadableRow).
///
/// ```
/// use activity_log::ActivitySeverity;
///
/// assert!(ActivitySeverity::Info < ActivitySeverity::Error);
/// assert_eq!("warning".parse(), Ok(ActivitySeverity::Warning));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActivitySeverity {
    /// Everything is in order: stored as `info`.
    #[default]
    Info,
    /// Somebody may want to look into it: stored as `warning`.
    Warning,
    /// Something failed: stored as `error`.
    Error,
}

impl ActivitySeverity {
    /// Every severity, the mildest first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Error];

    /// The stored text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The error for a text that is not an [`ActivitySeverity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not `info`, `warning` or `error`")]
pub struct ParseSeverityError;

impl FromStr for ActivitySeverity {
    type Err = ParseSeverityError;

    /// Reads the stored text, in lower case.
    fn from_str(text: &str) -> Result<Self, ParseSeverityError> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == text).ok_or(ParseSeverityError)
    }
}

impl fmt::Display for ActivitySeverity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
