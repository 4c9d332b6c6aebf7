//! A row as a database returns it: what should not be NULL may be NULL, and what stands for a value may stand for none.

use chrono::{DateTime, Utc};

use crate::error::{Error, Result};
use crate::model::category::ActivityCategory;
use crate::model::entry::ActivityLogEntry;
use crate::model::metadata;
use crate::model::severity::{ActivitySeverity, ParseSeverityError};

#[derive(Debug, Clone)]
pub(crate) struct StoredRow {
    pub(crate) seq: i64,
    pub(crate) id: Option<String>,
    /// Or why it is no time.
    pub(crate) ts: Option<Result<DateTime<Utc>, String>>,
    pub(crate) category: Option<ActivityCategory>,
    pub(crate) action: Option<String>,
    pub(crate) severity: Option<Result<ActivitySeverity, ParseSeverityError>>,
    pub(crate) actor: Option<String>,
    pub(crate) entity_type: Option<String>,
    pub(crate) entity_id: Option<String>,
    pub(crate) entity_name: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) metadata: Option<String>,
}

impl StoredRow {
    /// The entry in the row.
    ///
    /// # Errors
    ///
    /// [`Error::UnreadableRow`] with the row's `seq` and the column.
    pub(crate) fn into_entry(self) -> Result<ActivityLogEntry> {
        let seq = self.seq;
        let unreadable = |column, reason: String| Error::UnreadableRow { seq, column, reason };
        let null = |column| unreadable(column, "is NULL".to_owned());
        let json = self.metadata.ok_or_else(|| null("metadata"))?;
        Ok(ActivityLogEntry {
            seq,
            id: self.id.ok_or_else(|| null("id"))?,
            ts: self.ts.ok_or_else(|| null("ts"))?.map_err(|reason| unreadable("ts", reason))?,
            category: self.category.ok_or_else(|| null("category"))?,
            action: self.action.ok_or_else(|| null("action"))?,
            severity: self
                .severity
                .ok_or_else(|| null("severity"))?
                .map_err(|error| unreadable("severity", format!("{error}")))?,
            actor: self.actor.ok_or_else(|| null("actor"))?,
            entity_type: self.entity_type,
            entity_id: self.entity_id,
            entity_name: self.entity_name,
            message: self.message.ok_or_else(|| null("message"))?,
            metadata: metadata::from_json(&json).map_err(|reason| unreadable("metadata", reason))?,
        })
    }

    /// About how many bytes the texts have.
    pub(crate) fn text_bytes(&self) -> usize {
        let texts = [
            &self.id,
            &self.action,
            &self.actor,
            &self.entity_type,
            &self.entity_id,
            &self.entity_name,
            &self.message,
            &self.metadata,
        ];
        let texts = texts.into_iter().flatten().map(String::as_str);
        let category = self.category.iter().map(ActivityCategory::as_str);
        texts.chain(category).map(str::len).sum()
    }
}
