//! The server's own table.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

diesel::table! {
    devices (id) {
        id -> Text,
        name -> Text,
    }
}

/// A device.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Serialize, ToSchema)]
#[diesel(table_name = devices)]
pub(crate) struct Device {
    pub(crate) id: String,
    pub(crate) name: String,
}
