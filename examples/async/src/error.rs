//! What may go wrong.

/// Whatever went wrong. A server may have an enum of its own here.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The result of whatever may go wrong.
pub type Result<T, E = Error> = std::result::Result<T, E>;
