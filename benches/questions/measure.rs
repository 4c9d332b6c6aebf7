//! Measuring.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::super::{BenchResult, Log};
use super::{Question, SHAPES};

const MIN_RUNS: usize = 5;
const MAX_RUNS: usize = 101;
const ENOUGH: Duration = Duration::from_millis(300);

/// What the command line selects.
#[derive(Default)]
pub(crate) struct Selected {
    pub(crate) sizes: Vec<u64>,
    states: Vec<String>,
    words: Vec<String>,
    /// What each log answered in the first state. Any other answer in another state is wrong.
    answers: RefCell<BTreeMap<(&'static str, u64), u64>>,
    /// Of the selected shapes only those that count all matching entries.
    pub(crate) counts_only: bool,
}

impl Selected {
    /// Numbers select the sizes, names of states the states, and other words the shapes: those that have the word in their
    /// names, or with `^` before it, those that have not.
    pub(crate) fn from_arguments(states: &[&str], sizes: &[u64]) -> Self {
        let mut selected = Self::default();
        for argument in std::env::args().skip(1).filter(|argument| !argument.starts_with('-')) {
            if let Ok(size) = argument.parse() {
                selected.sizes.push(size);
            } else if states.contains(&argument.as_str()) {
                selected.states.push(argument);
            } else {
                selected.words.push(argument);
            }
        }
        if selected.sizes.is_empty() {
            selected.sizes.extend(sizes);
        }
        selected.sizes.sort_unstable();
        selected
    }

    fn has_shape(&self, name: &str) -> bool {
        let counts = ["count,", "facets,", "histogram,"].iter().any(|kind| name.starts_with(kind));
        (counts || !self.counts_only)
            && self.words.iter().all(|word| match word.strip_prefix('^') {
                Some(word) => !name.contains(word),
                None => name.contains(word.as_str()),
            })
    }

    fn check(&self, name: &'static str, rows: u64, answer: u64) -> BenchResult {
        let expected = *self.answers.borrow_mut().entry((name, rows)).or_insert(answer);
        if answer == expected {
            return Ok(());
        }
        Err(format!("{name}: the answer is {answer} and was {expected} in the first state").into())
    }

    pub(crate) fn has_state(&self, state: &str) -> bool {
        self.states.is_empty() || self.states.iter().any(|chosen| chosen == state)
    }
}

/// Prints a row for each selected shape.
pub(crate) fn print_table(title: &str, selected: &Selected, logs: &mut [Log]) -> BenchResult {
    println!("\n{title}; milliseconds");
    let columns = logs.iter().map(|log| format!("{:>12}", log.rows)).collect::<String>();
    println!("{:<46}{columns}{:>9}{:>10}", "", "growth", "answer");
    for (name, question) in SHAPES {
        if selected.has_shape(name) {
            print_row(name, selected, logs, *question)?;
        }
    }
    Ok(())
}

/// Prints the median for each log, the ratio of the largest log's median to the smallest log's, and the largest log's
/// answer.
fn print_row(name: &'static str, selected: &Selected, logs: &mut [Log], question: fn(u64) -> Question) -> BenchResult {
    let questions = logs.iter().map(|log| question(log.rows)).collect::<Vec<_>>();
    let mut answer = 0;
    for (log, question) in logs.iter_mut().zip(&questions) {
        // The first, untimed query fills the caches and prepares the statements.
        answer = question.ask(&mut log.conn)?;
        selected.check(name, log.rows, answer)?;
    }
    let mut runs = logs.iter().map(|_| Vec::new()).collect::<Vec<_>>();
    let began = Instant::now();
    for run in 0..MAX_RUNS {
        if run >= MIN_RUNS && began.elapsed() > ENOUGH * u32::try_from(logs.len())? {
            break;
        }
        for ((log, question), times) in logs.iter_mut().zip(&questions).zip(&mut runs) {
            let started = Instant::now();
            question.ask(&mut log.conn)?;
            times.push(started.elapsed().as_secs_f64() * 1_000.0);
        }
    }
    let medians = runs.iter_mut().filter_map(|times| median(times)).collect::<Vec<_>>();
    let columns = medians.iter().map(|median| format!("{median:>12.3}")).collect::<String>();
    let growth = medians.last().zip(medians.first()).map_or(1.0, |(last, first)| last / first);
    println!("{name:<46}{columns}{growth:>9.1}{answer:>10}");
    Ok(())
}

fn median(times: &mut [f64]) -> Option<f64> {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}
