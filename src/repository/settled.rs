//! How far walks upward go: only to where every number is decided, because they would miss what is committed later.

use crate::error::{Error, Result};
use crate::store::{Settled, Store};

/// Where a walk from after `after_seq` ends: there, if it is not known yet how far it may go.
pub(crate) async fn through<C: Store>(conn: &mut C, after_seq: i64) -> Result<i64> {
    match conn.settled_seq().await? {
        Settled::Now(seq) | Settled::Before(Some(seq)) => Ok(seq),
        Settled::Before(None) => Ok(after_seq),
    }
}

/// The greatest `seq` from which a walk misses nothing; `None` if the log is empty.
pub(crate) async fn newest<C: Store>(conn: &mut C) -> Result<Option<i64>> {
    let settled = conn.settled_seq().await?.now()?;
    Ok(conn.newest_seq().await?.map(|newest| newest.min(settled)))
}

/// The last `seq` of an export that begins now; `None` if the log is empty. What is visible by now is exported in any case.
pub(crate) async fn end_of_export<C: Store>(conn: &mut C) -> Result<Option<i64>> {
    let settled = match conn.settled_seq().await {
        Ok(Settled::Now(settled)) => Some(settled),
        Ok(Settled::Before(_)) | Err(Error::CannotFollow { .. }) => None,
        Err(error) => return Err(error),
    };
    let newest = conn.newest_seq().await?;
    Ok(newest.map(|newest| settled.map_or(newest, |settled| newest.min(settled))))
}
