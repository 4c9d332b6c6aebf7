use std::time::Duration;

use crate::competitors::COMPETITORS;
use crate::operations::Operation;

pub(crate) fn header() -> String {
    let names = COMPETITORS.map(|competitor| competitor.name).join(" | ");
    let rule = "---:|".repeat(COMPETITORS.len());
    format!("| operation | {names} | to the same SQL |\n|---|{rule}---|")
}

/// The time of the first competitor, the ratio of each other competitor to it, and whether activity-log meets its goal
/// compared with the same SQL on the same schema.
pub(crate) fn row(operation: &Operation, medians: &[Duration]) -> String {
    let [baseline, others @ ..] = medians else {
        return String::new();
    };
    let ratios = others.iter().map(|median| median.as_secs_f64() / baseline.as_secs_f64()).collect::<Vec<_>>();
    let goal = match (operation.goal, ratios.as_slice()) {
        (Some(goal), [same_schema, ours, ..]) => {
            let factor = ours / same_schema;
            format!("{factor:.2}, {}", if factor <= goal { format!("≤ {goal}") } else { format!("more than {goal}") })
        }
        _ => String::new(),
    };
    let ratios = ratios.iter().copied().map(relative).collect::<Vec<_>>().join(" | ");
    format!("| {} | {} | {ratios} | {goal} |", operation.name, absolute(*baseline))
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
