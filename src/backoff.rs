//! The pauses between attempts to reach a database or a service that does not answer.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// An endless sequence of pauses. They double from the first to the longest. Each one is shortened at
/// random, to at least half its length, so that callers that failed together do not retry together.
#[derive(Debug)]
pub(crate) struct Backoff {
    builder: ExponentialBuilder,
    pauses: ExponentialBackoff,
    longest: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, longest: Duration) -> Backoff {
        // Half of each pause: the jitter of the crate adds up to the same amount.
        let builder = ExponentialBuilder::new()
            .with_min_delay(first / 2)
            .with_max_delay(longest / 2)
            .without_max_times()
            .with_jitter();
        Backoff {
            builder,
            pauses: builder.build(),
            longest,
        }
    }

    /// Returns how long to wait before the next attempt.
    pub(crate) fn next_pause(&mut self) -> Duration {
        self.pauses.next().unwrap_or(self.longest)
    }

    /// Starts again with the first pause. To be called after an attempt succeeded.
    pub(crate) fn reset(&mut self) {
        self.pauses = self.builder.build();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_start_over_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(800));
        for _ in 0..2 {
            for nominal in [100, 200, 400, 800, 800, 800] {
                let nominal = Duration::from_millis(nominal);
                let pause = backoff.next_pause();
                assert!(pause >= nominal / 2 && pause <= nominal, "{pause:?}");
            }
            backoff.reset();
        }
    }

    #[test]
    fn two_callers_get_different_pauses() {
        let pauses = || {
            let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
            [(); 10].map(|()| backoff.next_pause())
        };
        assert_ne!(pauses(), pauses());
    }
}
