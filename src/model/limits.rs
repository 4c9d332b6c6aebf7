/// How many bytes each field of an entry may have as it is stored.
///
/// The defaults stop accidents and attacks rather than shape entries: 4 MiB per field, 16 MiB for `message` and `metadata`.
/// A longer value is refused with [`Error::InvalidEntry`](crate::Error::InvalidEntry), never cut. Times and severities have
/// a fixed length.
///
/// ```
/// use activity_log::{ActivityLogRepository, EntryLimits, Error, NewActivityLogEntry};
///
/// # fn main() -> activity_log::Result<()> {
/// # let mut conn = activity_log::connect(":memory:")?;
/// # activity_log::run_migrations(&mut conn)?;
/// let limits = EntryLimits { message: 1_000, ..EntryLimits::default() };
/// let mut log = ActivityLogRepository::new(&mut conn).with_limits(limits);
///
/// let refused = log.record(&NewActivityLogEntry::new("auth", "a", "b", "x".repeat(1_001)));
/// assert!(matches!(refused, Err(Error::InvalidEntry { field: "message", .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryLimits {
    /// Bytes of the id.
    pub id: usize,
    /// Bytes of the category.
    pub category: usize,
    /// Bytes of the action.
    pub action: usize,
    /// Bytes of the actor.
    pub actor: usize,
    /// Bytes of the entity's type.
    pub entity_type: usize,
    /// Bytes of the entity's id.
    pub entity_id: usize,
    /// Bytes of the entity's name.
    pub entity_name: usize,
    /// Bytes of the message.
    pub message: usize,
    /// Bytes of the metadata as JSON.
    pub metadata: usize,
}

const MIB: usize = 1 << 20;

impl Default for EntryLimits {
    fn default() -> Self {
        Self {
            id: 4 * MIB,
            category: 4 * MIB,
            action: 4 * MIB,
            actor: 4 * MIB,
            entity_type: 4 * MIB,
            entity_id: 4 * MIB,
            entity_name: 4 * MIB,
            message: 16 * MIB,
            metadata: 16 * MIB,
        }
    }
}
