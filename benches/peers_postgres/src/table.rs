use std::time::Duration;

use crate::operations::Operation;
use crate::peers::PEERS;

pub(crate) fn header() -> String {
    let names = PEERS.map(|(name, _)| name).join(" | ");
    let rule = "---:|".repeat(PEERS.len());
    format!("| operation | {names} | to the same SQL |\n|---|{rule}---|")
}

/// The time of the first peer, the ratio of each other one to it, and whether activity-log, blocking and async, is within its
/// goal beside its own statements by hand.
pub(crate) fn row(operation: &Operation, medians: &[Duration]) -> String {
    let [baseline, others @ ..] = medians else {
        return String::new();
    };
    let ratios = others.iter().map(|median| median.as_secs_f64() / baseline.as_secs_f64()).collect::<Vec<_>>();
    let cost = match ratios.as_slice() {
        [same, blocking, own_async, ..] => {
            let (blocking, own_async) = (blocking / same, own_async / same);
            let goal = operation.goal.map_or(String::new(), |goal| {
                let is_met = blocking.max(own_async) <= goal;
                if is_met { format!(", ≤ {goal}") } else { format!(", more than {goal}") }
            });
            format!("{blocking:.2} and {own_async:.2}{goal}")
        }
        _ => String::new(),
    };
    let ratios = ratios.iter().copied().map(relative).collect::<Vec<_>>().join(" | ");
    format!("| {} | {} | {ratios} | {cost} |", operation.name, absolute(*baseline))
}

fn absolute(duration: Duration) -> String {
    match duration.as_secs_f64() * 1_000.0 {
        millis if millis < 1.0 => format!("{:.0} µs", millis * 1_000.0),
        millis if millis < 10.0 => format!("{millis:.1} ms"),
        millis => format!("{millis:.0} ms"),
    }
}

fn relative(ratio: f64) -> String {
    if ratio < 0.1 { format!("{ratio:.4}") } else { format!("{ratio:.2}") }
}
