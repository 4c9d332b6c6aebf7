use std::time::{Duration, Instant};

use crate::competitors::{COMPETITORS, Competitor};
use crate::databases::Databases;
use crate::operations::{Evidence, Operation, Work};
use crate::peer::{BenchResult, Peer};
use crate::settings;

/// The median of each competitor, in the order of the competitors.
pub(crate) fn medians(operation: &Operation, databases: &Databases) -> BenchResult<Vec<Duration>> {
    let expected = agree(operation, databases)?.number;
    let mut open = Vec::new();
    if !operation.work.writes() {
        for competitor in &COMPETITORS {
            open.push(open_checked(competitor, &databases.path(competitor.schema, operation.log))?);
        }
    }

    let mut samples = vec![Vec::new(); COMPETITORS.len()];
    for round in 0..operation.rounds {
        for turn in 0..COMPETITORS.len() {
            let place = place(round, turn);
            let (Some(competitor), Some(samples)) = (COMPETITORS.get(place), samples.get_mut(place)) else {
                continue;
            };
            let took = match open.get_mut(place) {
                Some(peer) => {
                    // The caches still hold the pages of the previous competitor.
                    operation.work.perform(peer.as_mut())?;
                    time(&operation.work, operation.calls, peer.as_mut(), expected)?
                }
                None => {
                    let mut peer = open_checked(competitor, &databases.copy(competitor.schema, operation.log)?)?;
                    let took = time(&operation.work, 1, peer.as_mut(), expected)?;
                    peer.close()?;
                    took
                }
            };
            samples.push(took);
        }
    }
    for peer in open {
        peer.close()?;
    }
    Ok(samples.into_iter().map(median).collect())
}

/// Each competitor is first equally often, and runs equally often before and after each other one.
fn place(round: usize, turn: usize) -> usize {
    let place = (round / 2 + turn) % COMPETITORS.len();
    if round.is_multiple_of(2) { place } else { COMPETITORS.len() - 1 - place }
}

/// The result, which must be the same for all competitors.
fn agree(operation: &Operation, databases: &Databases) -> BenchResult<Evidence> {
    let mut agreed = None;
    for competitor in &COMPETITORS {
        let path = match operation.work.writes() {
            true => databases.copy(competitor.schema, operation.log)?,
            false => databases.path(competitor.schema, operation.log),
        };
        let mut peer = open_checked(competitor, &path)?;
        let evidence = operation.work.evidence(peer.as_mut())?;
        peer.close()?;
        match &agreed {
            None => agreed = Some(evidence),
            Some(agreed) if *agreed == evidence => {}
            Some(_) => return Err(format!("{}: {} has a different result", operation.name, competitor.name).into()),
        }
    }
    agreed.ok_or_else(|| "nobody competes".into())
}

fn open_checked(competitor: &Competitor, path: &std::path::Path) -> BenchResult<Box<dyn Peer>> {
    let mut peer = (competitor.open)(path)?;
    settings::check(competitor.name, peer.as_mut())?;
    Ok(peer)
}

fn time(work: &Work, calls: u32, peer: &mut dyn Peer, expected: u64) -> BenchResult<Duration> {
    let started = Instant::now();
    for _ in 0..calls {
        let number = work.perform(peer)?;
        if number != expected {
            return Err(format!("the result is {number} instead of {expected}").into());
        }
    }
    Ok(started.elapsed() / calls)
}

fn median(mut samples: Vec<Duration>) -> Duration {
    samples.sort();
    samples.get(samples.len() / 2).copied().unwrap_or_default()
}
