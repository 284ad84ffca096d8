//! Random payers that try to be served without payment, on gateways that are stopped, killed and
//! settled meanwhile. Served units are compared with a small model, and the model
//! with the chain.

mod clock;
mod configuration;
mod counts;
mod delivery;
mod history;
mod payer;
mod request;
mod seat;
mod stranger;
mod table;

use std::{sync::Arc, time::Instant};

use futures::{StreamExt, future::join_all, stream};
use serde::Serialize;

pub use configuration::{Configuration, Restarts, configurations};
pub use counts::Counts;
use history::History;
use payer::Payer;
use table::Table;

/// Parameters of a run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Seed of the payers' choices.
    pub seed: u64,
    /// Number of requests.
    pub requests: u64,
    /// Single configuration to run.
    pub only: Option<usize>,
    /// Largest number of concurrent payers.
    pub most_payers: u32,
}

/// Result of a run.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Seed of the run.
    pub seed: u64,
    /// Number of configurations that were played.
    pub configurations: usize,
    /// Sums over all configurations.
    #[serde(flatten)]
    pub counts: Counts,
    /// Duration so far.
    pub seconds: u64,
    /// Failures with the configuration to repeat.
    pub breaks: Vec<String>,
}

/// Number of phases per configuration.
const PHASES: u64 = 6;
/// Number of concurrent gateways; each waits for its disk most of the time.
const AT_ONCE: usize = 6;

impl Run {
    /// Runs all configurations, each on its own gateway; calls `tell` after each.
    pub async fn play(self, tell: impl Fn(&Report)) -> Report {
        let begun = Instant::now();
        let all = configurations(self.most_payers);
        let chosen = |number: &usize| self.only.is_none_or(|only| only == *number);
        let chosen: Vec<_> = (0..all.len()).filter(chosen).collect();
        let each = self.requests.div_ceil(chosen.len() as u64);
        let mut report = Report { seed: self.seed, ..Report::default() };
        let episodes = chosen.into_iter().map(|number| {
            let configuration = all[number];
            async move { (number, configuration, self.episode(number, configuration, each).await) }
        });
        let mut episodes = stream::iter(episodes).buffer_unordered(AT_ONCE);
        while let Some((number, configuration, history)) = episodes.next().await {
            report.add(number, configuration, &history, &self);
            report.seconds = begun.elapsed().as_secs();
            tell(&report);
        }
        report
    }

    async fn episode(
        self,
        number: usize,
        configuration: Configuration,
        requests: u64,
    ) -> Arc<History> {
        let seed = self.seed.wrapping_mul(1_000_003).wrapping_add(number as u64);
        let mut table = Table::open(configuration, seed).await;
        let history = Arc::new(History::default());
        let payers = u64::from(configuration.payers);
        let each = requests.div_ceil(PHASES * payers);
        for phase in 0..PHASES {
            let playing = (0..payers).map(|payer| {
                let seed = seed.wrapping_mul(31).wrapping_add(phase * 1_000 + payer);
                let payer = Payer::new(&table, history.clone(), seed);
                tokio::spawn(payer.play(each))
            });
            for played in join_all(playing.collect::<Vec<_>>()).await {
                if let Err(error) = played {
                    history.broke(format!("a payer stopped: {error}"));
                }
            }
            if phase + 1 < PHASES {
                table.between_phases(phase, &history).await;
            }
        }
        table.retry_lost_requests(&history).await;
        table.leave(&history).await;
        history
    }
}

impl Report {
    /// Returns whether no failure was found.
    pub fn is_clean(&self) -> bool {
        self.breaks.is_empty() && self.counts.units_leaked == 0
    }

    fn add(&mut self, number: usize, configuration: Configuration, history: &History, run: &Run) {
        self.configurations += 1;
        self.counts += history.counts();
        let again = format!(
            "seed {} configuration {number} of {} requests, at most {} payers",
            run.seed, run.requests, run.most_payers
        );
        let named = |what: String| format!("{again} ({configuration:?}): {what}");
        self.breaks.extend(history.breaks().into_iter().map(named));
    }
}
