/// How many bytes each field of an entry may have as it is stored.
///
/// The defaults fit any sensible entry: 64 KiB for `message`, 256 KiB for `metadata`, 1 KiB for `actor`, `entity_id`
/// and `entity_name`, 256 bytes for `id`, `category`, `action` and `entity_type`. A longer value is refused with
/// [`Error::InvalidEntry`](crate::Error::InvalidEntry), never cut. Times and severities have a fixed length. Entries
/// that are stored already are read whatever their size.
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

impl EntryLimits {
    /// No limits.
    pub const UNLIMITED: Self = Self {
        id: usize::MAX,
        category: usize::MAX,
        action: usize::MAX,
        actor: usize::MAX,
        entity_type: usize::MAX,
        entity_id: usize::MAX,
        entity_name: usize::MAX,
        message: usize::MAX,
        metadata: usize::MAX,
    };
}

const KIB: usize = 1 << 10;

impl Default for EntryLimits {
    fn default() -> Self {
        Self {
            id: 256,
            category: 256,
            action: 256,
            actor: KIB,
            entity_type: 256,
            entity_id: KIB,
            entity_name: KIB,
            message: 64 * KIB,
            metadata: 256 * KIB,
        }
    }
}
