//! The optional full-text index on the messages. It holds the segments that are marked as `in_search`, and proposes candidates;
//! the rows themselves decide. Of a row that was deleted or changed it may still hold the old message.

pub(crate) mod enable;
pub(crate) mod fill;
pub(crate) mod index;
pub(crate) mod ranges;
pub(crate) mod term;
pub(crate) mod verify;
