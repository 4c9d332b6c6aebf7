//! The export formats.

use std::io::Write;
use std::str::FromStr;

use activity_log::{ActivityLogEntry, export};

#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Format {
    #[default]
    Ndjson,
    Csv,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "ndjson" => Ok(Self::Ndjson),
            "csv" => Ok(Self::Csv),
            _ => Err("must be `ndjson` or `csv`".to_owned()),
        }
    }
}

impl Format {
    /// The value of the parameter, and the extension of the file.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }

    /// Writes the entries and returns how many there were. The first error ends the export.
    pub(crate) fn write(
        self,
        entries: impl Iterator<Item = activity_log::Result<ActivityLogEntry>>,
        writer: impl Write,
    ) -> activity_log::Result<u64> {
        match self {
            Self::Ndjson => export::write_ndjson(entries, writer),
            Self::Csv => export::write_csv(entries, writer),
        }
    }
}
