use crate::model::metadata::MAX_DEPTH;
use crate::model::redactor::Redactor;

/// What replaces a value of [`changes`](crate::changes) for which there is no room.
pub const LEFT_OUT: &str = "[left out]";

/// Around the values there are the metadata's own object and an object for each change.
const MAX_OWN_DEPTH: usize = MAX_DEPTH - 2;

/// How much [`changes`](crate::changes) says, and which values it masks.
///
/// ```
/// use activity_log::{ChangesOptions, Redactor};
/// use serde_json::json;
///
/// # fn main() -> activity_log::Result<()> {
/// let options = ChangesOptions::new().fields(20).redactor(Redactor::new(["password"]));
/// let before = json!({"name": "alice", "password": "hunter2"});
/// let after = json!({"name": "alice", "password": "correct horse"});
/// let changes = options.between(&before, &after)?.unwrap_or_default();
/// assert_eq!(changes["changed"], json!({"password": "[redacted]"}));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangesOptions {
    pub(crate) depth: usize,
    pub(crate) fields: usize,
    pub(crate) bytes: usize,
    pub(crate) redactor: Option<Redactor>,
}

impl Default for ChangesOptions {
    fn default() -> Self {
        Self { depth: 16, fields: 100, bytes: 16 << 10, redactor: None }
    }
}

impl ChangesOptions {
    /// At most 16 levels, 100 fields and 16 KiB, and nothing masked.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many levels of objects and arrays of the two values are kept, the values themselves being the first; at
    /// most 125, which is as deep as metadata can be.
    #[must_use]
    pub fn depth(mut self, levels: usize) -> Self {
        self.depth = levels.min(MAX_OWN_DEPTH);
        self
    }

    /// How many fields are named.
    #[must_use]
    pub fn fields(mut self, fields: usize) -> Self {
        self.fields = fields;
        self
    }

    /// How many bytes the metadata may have as JSON; at least 64.
    #[must_use]
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Masks secrets. The log then says that a masked field has changed, and neither from what nor to what.
    ///
    /// A repository or recorder that has a redactor masks the same, but the values still take up bytes here.
    #[must_use]
    pub fn redactor(mut self, redactor: Redactor) -> Self {
        self.redactor = Some(redactor);
        self
    }
}
