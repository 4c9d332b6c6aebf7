//! A web server answers an error without looking into it.

use std::io;
use std::time::Duration;

use activity_log::{Error, RecorderError};
use diesel::result::ConnectionError;
use diesel::result::DatabaseErrorKind::{UniqueViolation, Unknown};
use diesel::result::Error::{DatabaseError, NotFound};

/// What an error says about itself.
#[derive(Debug, PartialEq)]
enum Kind {
    InvalidInput,
    Retryable,
    Neither,
}
use Kind::{InvalidInput, Neither, Retryable};

fn kind(error: &Error) -> Option<Kind> {
    match (error.is_invalid_input(), error.is_retryable()) {
        (true, false) => Some(InvalidInput),
        (false, true) => Some(Retryable),
        (false, false) => Some(Neither),
        (true, true) => None,
    }
}

fn database(message: &str) -> diesel::result::Error {
    DatabaseError(Unknown, Box::new(message.to_owned()))
}

#[test]
fn an_error_says_whether_the_input_is_at_fault_and_whether_trying_again_may_succeed() {
    let text = || "text".to_owned();
    for (error, expected) in [
        (Error::InvalidEntry { index: 0, field: "ts", reason: text() }, InvalidInput),
        (Error::DuplicateId { index: 0 }, InvalidInput),
        (Error::InvalidFilter { field: "actor", reason: text() }, InvalidInput),
        (Error::InvalidQuery { parameter: text(), reason: text() }, InvalidInput),
        (Error::UnreadableLine { line: 1, reason: text() }, InvalidInput),
        (Error::Busy(database("database is locked")), Retryable),
        (Error::Database(NotFound), Neither),
        (Error::Full(database("database or disk is full")), Neither),
        (Error::Connection(ConnectionError::BadConnection(text())), Neither),
        (Error::JournalMode { mode: text() }, Neither),
        (Error::Migration("text".into()), Neither),
        (Error::ForeignTable { reason: text() }, Neither),
        (Error::NameTaken { kind: text(), name: text(), table: text(), needed_for: text() }, Neither),
        (Error::CannotCreate { what: text(), reason: text() }, Neither),
        (Error::Reserve(io::Error::other("text")), Neither),
        (Error::UnreadableRow { seq: 1, column: "ts", reason: text() }, Neither),
        (Error::Recorder(RecorderError::QueueFull), Retryable),
        (Error::Recorder(RecorderError::StillFull { waited: Duration::ZERO }), Retryable),
        (Error::Recorder(RecorderError::Dropped), Neither),
        (Error::Recorder(RecorderError::SwitchedOff), Neither),
        (Error::Recorder(RecorderError::ShutDown), Neither),
        (Error::Recorder(RecorderError::Unclear), Neither),
        (Error::Recorder(RecorderError::WouldBlock), Neither),
        (Error::RecorderThread(io::Error::other("text")), Neither),
        (Error::Output(io::Error::other("text")), Neither),
        (Error::Input(io::Error::other("text")), Neither),
    ] {
        assert_eq!(kind(&error), Some(expected), "{error:?}");
    }
}

#[test]
fn an_error_that_comes_from_diesel_says_so_too() {
    for (error, expected) in [
        (database("database is locked"), Retryable),
        (database("database table is locked: activity_log"), Retryable),
        (database("database or disk is full"), Neither),
        (DatabaseError(UniqueViolation, Box::new("UNIQUE constraint failed: users.id".to_owned())), Neither),
        (NotFound, Neither),
    ] {
        assert_eq!(kind(&Error::from(error)), Some(expected));
    }
}

#[test]
fn an_error_of_this_crate_that_passed_through_diesel_is_itself_again() {
    let unreadable = Error::UnreadableRow { seq: 7, column: "ts", reason: "text".to_owned() };
    let through_diesel = diesel::result::Error::DeserializationError(Box::new(unreadable));
    assert!(matches!(Error::from(through_diesel), Error::UnreadableRow { seq: 7, column: "ts", .. }));

    let of_another = diesel::result::Error::DeserializationError("text".into());
    assert!(matches!(Error::from(of_another), Error::Database(diesel::result::Error::DeserializationError(_))));
}
