//! What was measured, and how it is printed.

use std::fmt;
use std::time::Duration;

pub(crate) const HEADING: &str = " posts/s   post 50%   post 99%   list 50%   list 99%   failed";

#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) time: Duration,
    /// How long each entry took until it was committed.
    pub(crate) posts: Vec<Duration>,
    /// How many requests to record were not answered with 201.
    pub(crate) failed: usize,
    /// How long each page took.
    pub(crate) lists: Vec<Duration>,
}

impl Measured {
    pub(crate) fn add(&mut self, other: Self) {
        self.time += other.time;
        self.failed += other.failed;
        self.posts.extend(other.posts);
        self.lists.extend(other.lists);
        self.posts.sort_unstable();
        self.lists.sort_unstable();
    }

    fn per_second(&self) -> f64 {
        self.posts.len() as f64 / self.time.as_secs_f64()
    }

    fn percentiles(&self) -> [Duration; 4] {
        [(&self.posts, 50), (&self.posts, 99), (&self.lists, 50), (&self.lists, 99)].map(|(sorted, percent)| {
            sorted.get(sorted.len() * percent / 100).or(sorted.last()).copied().unwrap_or_default()
        })
    }

    /// Each number as a multiple of the other's.
    pub(crate) fn beside(&self, other: &Self) -> String {
        let mut line = format!("{:>8.2}", self.per_second() / other.per_second());
        for (this, other) in self.percentiles().into_iter().zip(other.percentiles()) {
            line += &format!(" {:>10.3}", this.as_secs_f64() / other.as_secs_f64());
        }
        line
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>8.0}", self.per_second())?;
        for wait in self.percentiles() {
            write!(f, " {:>10}", format!("{wait:.2?}"))?;
        }
        write!(f, " {:>8}", self.failed)
    }
}
