use std::convert::Infallible;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

/// The area of the server that an entry belongs to.
///
/// The vocabulary is open: a stored text that is not one of the named ones reads as [`Other`](Self::Other) and writes back
/// unchanged, and a host may define its own.
///
/// Two categories are equal when they are stored as the same text.
///
/// ```
/// use activity_log::ActivityCategory;
///
/// assert_eq!(ActivityCategory::from("auth"), ActivityCategory::Auth);
/// assert_eq!(ActivityCategory::from("billing").as_str(), "billing");
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "String")]
pub enum ActivityCategory {
    /// Signing in and out, and permissions: stored as `auth`.
    Auth,
    /// Devices that appear, disappear or change: stored as `device`.
    Device,
    /// The server's own records, created, changed or deleted: stored as `entity`.
    Entity,
    /// Capturing that starts, stops or fails: stored as `capture`.
    Capture,
    /// The server itself: its start, stop and maintenance. Stored as `system`.
    System,
    /// Any other category, stored as its text.
    Other(String),
}

impl ActivityCategory {
    /// The stored text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Auth => "auth",
            Self::Device => "device",
            Self::Entity => "entity",
            Self::Capture => "capture",
            Self::System => "system",
            Self::Other(text) => text,
        }
    }

    fn named(text: &str) -> Option<Self> {
        Some(match text {
            "auth" => Self::Auth,
            "device" => Self::Device,
            "entity" => Self::Entity,
            "capture" => Self::Capture,
            "system" => Self::System,
            _ => return None,
        })
    }
}

impl From<&str> for ActivityCategory {
    fn from(text: &str) -> Self {
        Self::named(text).unwrap_or_else(|| Self::Other(text.to_owned()))
    }
}

impl From<String> for ActivityCategory {
    fn from(text: String) -> Self {
        Self::named(&text).unwrap_or(Self::Other(text))
    }
}

impl FromStr for ActivityCategory {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::from(text))
    }
}

impl fmt::Display for ActivityCategory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl PartialEq for ActivityCategory {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for ActivityCategory {}

impl Hash for ActivityCategory {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Serialize for ActivityCategory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
