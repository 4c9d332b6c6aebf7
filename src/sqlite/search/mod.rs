//! The optional full-text index on messages. It proposes candidates; the test on the message itself still decides.

pub(crate) mod index;
pub(crate) mod term;
