//! Random operations give the same answers on the log and on a plain list.

pub(crate) mod answer;
pub(crate) mod ask;
mod erase;
pub(crate) mod inputs;
pub(crate) mod list;
pub(crate) mod operation;
mod passes;

use proptest::collection::vec;
use proptest::prelude::*;

use self::answer::Numbers;
use self::ask::ask;
use self::list::List;
use self::operation::{Operation, operation};
use crate::database::{ActivityLogRepository, CASES, Connection, empty_log};
use crate::support::TestResult;

fn agree(operations: &[Operation]) -> TestResult {
    let mut list = List::default();
    let mut conn = empty_log()?;
    let mut numbers = Numbers::default();
    for operation in operations {
        let expected = list.answer(operation)?;
        assert_eq!(ask(&mut conn, &mut numbers, operation)?, expected, "{operation:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_log_answers_as_a_plain_list_would(operations in vec(operation(), 1..40)) {
        agree(&operations).map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}
