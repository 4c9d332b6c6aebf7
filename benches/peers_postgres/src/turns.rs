//! All peers take turns, in an order that changes from round to round, so that noise affects all alike.

use std::time::{Duration, Instant};

use crate::operations::{Operation, Source};
use crate::peer::{BenchResult, Peer};
use crate::peers::PEERS;

/// How long the calls of one turn should take together, and how many they are at most.
const TURN: Duration = Duration::from_millis(30);
const MOST_CALLS: u32 = 100;
/// A call that takes longer than this is measured in fewer rounds.
const LONG: Duration = Duration::from_millis(500);
const FEW_ROUNDS: usize = 3;

/// The median of each peer, in the order of the peers.
pub(crate) fn medians(
    operation: &Operation,
    url: &str,
    source: &mut Source,
    rounds: usize,
) -> BenchResult<Vec<Duration>> {
    let mut open = PEERS.iter().map(|(_, open)| open(url)).collect::<BenchResult<Vec<_>>>()?;
    let mut agreed = None;
    let mut calls = Vec::new();
    let mut rounds = rounds;
    for ((name, _), peer) in PEERS.iter().zip(&mut open) {
        let outcome = operation.work.outcome(peer.as_mut(), source)?;
        if agreed.as_ref().is_some_and(|agreed| *agreed != outcome) {
            return Err(format!("{}: {name} has a different result", operation.name).into());
        }
        agreed = Some(outcome);
        let took = turn(operation, peer.as_mut(), source, 1)?;
        if took > LONG {
            rounds = rounds.min(FEW_ROUNDS);
        }
        calls.push(match operation.work.writes() {
            true => 1,
            false => ((TURN.as_nanos() / took.as_nanos().max(1)) as u32).clamp(1, MOST_CALLS),
        });
    }
    let mut samples = vec![Vec::new(); PEERS.len()];
    for round in 0..rounds {
        for place in 0..PEERS.len() {
            let place = if round % 2 == 0 { place } else { PEERS.len() - 1 - place };
            let place = (round / 2 + place) % PEERS.len();
            if let (Some(peer), Some(samples), Some(calls)) =
                (open.get_mut(place), samples.get_mut(place), calls.get(place))
            {
                // The caches still hold what the previous peer needed.
                if !operation.work.writes() && *calls > 1 {
                    turn(operation, peer.as_mut(), source, 1)?;
                }
                samples.push(turn(operation, peer.as_mut(), source, *calls)?);
            }
        }
    }
    Ok(samples.into_iter().map(median).collect())
}

/// The time of one call.
fn turn(operation: &Operation, peer: &mut dyn Peer, source: &mut Source, calls: u32) -> BenchResult<Duration> {
    let entries = operation.work.entries(source);
    let started = Instant::now();
    for _ in 0..calls {
        operation.work.perform(peer, &entries)?;
    }
    Ok(started.elapsed() / (calls * operation.work.units()))
}

fn median(mut samples: Vec<Duration>) -> Duration {
    samples.sort();
    samples.get(samples.len() / 2).copied().unwrap_or_default()
}
