use std::{
    cmp::Reverse,
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{channel::ChannelHandle, ledger::Ledger, store::Lease};

/// Time since the last use for which a channel without debts is read in every round.
const ACTIVE_FOR: Duration = Duration::from_secs(600);
/// Time since the last use after which a channel without debts is not read until it is used again.
const DORMANT_AFTER: Duration = Duration::from_secs(3 * 86_400);
/// Maximum number of idle channels in one round, so that a start does not read all at once.
const MAX_IDLE_READS: usize = 2_000;
/// Time after a channel's end for which it is still read, because the cluster may roll back.
const FINAL_AFTER_SECONDS: i64 = 3_600;

/// Decides which channels a round reads: those in use in each, idle ones before they go blind, and
/// those not used for days never.
pub struct ReadSchedule {
    idle_interval: Duration,
    channels: HashMap<Lease, Use>,
}

/// Last use of a channel.
#[derive(Clone, Copy)]
struct Use {
    progress: (u64, u32),
    at: Instant,
}

impl ReadSchedule {
    /// Creates a schedule under which idle channels are never unseen for `max_blind`.
    pub fn new(max_blind: Duration) -> Self {
        Self { idle_interval: max_blind / 2, channels: HashMap::new() }
    }

    /// Returns the channels to read. `now` is unix seconds on chain. Call it periodically: use is
    /// measured between calls.
    pub fn due(
        &mut self,
        channels: &[Arc<ChannelHandle>],
        now: i64,
        at: Instant,
    ) -> Vec<Arc<ChannelHandle>> {
        let mut uses = HashMap::with_capacity(channels.len());
        let (mut due, mut idle) = (Vec::new(), Vec::new());
        for channel in channels {
            let locked = channel.lock();
            let ledger = &locked.ledger;
            let open = ledger.open_statement();
            let progress = (open.number, open.receipts);
            let is_busy = is_busy(ledger, now) || channel.rolled_back().is_some();
            let is_over = ledger.is_over(now - FINAL_AFTER_SECONDS);
            drop(locked);
            let last = self.channels.get(&channel.lease).filter(|last| last.progress == progress);
            let last = last.copied().unwrap_or(Use { progress, at });
            uses.insert(channel.lease, last);
            let unused_for = at.saturating_duration_since(last.at);
            let is_dormant = is_over || (!is_busy && unused_for >= DORMANT_AFTER);
            channel.set_dormant(is_dormant);
            match () {
                () if is_dormant => {}
                () if is_busy || unused_for < ACTIVE_FOR => due.push(channel.clone()),
                () if channel.unseen_for() >= self.idle_interval => idle.push(channel.clone()),
                () => {}
            }
        }
        self.channels = uses;
        idle.sort_by_key(|channel| Reverse(channel.unseen_for()));
        idle.truncate(MAX_IDLE_READS);
        due.extend(idle);
        due
    }
}

/// Returns whether what the chain says about a channel matters now: it owes something, or its payer
/// is leaving.
fn is_busy(ledger: &Ledger, now: i64) -> bool {
    let owes = ledger.open_statement().receipts > 0 || !ledger.cut_statements().is_empty();
    let is_leaving = ledger.channel().closes_at != i64::MAX || ledger.rotation(now).is_some();
    owes || is_leaving || !ledger.has_no_holds(now)
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap as Keys, VecDeque};

    use bytemuck::Zeroable;
    use motif_sdk::{
        Pubkey,
        channel::{Channel, ChannelAccount},
        voucher::Statement,
    };

    use super::*;
    use crate::{
        ledger::{Margins, OpenStatement},
        store::ChannelId,
    };

    fn channel(open: OpenStatement) -> Arc<ChannelHandle> {
        let channel = Channel { closes_at: i64::MAX, rotates_at: i64::MAX, ..Channel::zeroed() };
        let account = ChannelAccount { channel, licenses: Vec::new() };
        let margins = Margins {
            min_voucher_seconds: 600,
            min_useful_seconds: 0,
            min_price: 0,
            max_exposure: None,
            max_licenses: Statement::MAX_LICENSES,
        };
        let address = Pubkey::new_from_array([1; 32]);
        let ledger = Ledger::restore(address, account, margins, VecDeque::new(), open);
        let lease = Lease { channel_id: ChannelId(1), epoch: 0 };
        Arc::new(ChannelHandle::new(lease, ledger, Keys::new(), [0; 32]))
    }

    #[test]
    fn unused_channel_is_read_rarely_then_never() {
        let idle = channel(OpenStatement::new(0));
        // Idle channels are due at once, because none was read for longer than zero.
        let mut schedule = ReadSchedule::new(Duration::ZERO);
        let mut hasty = ReadSchedule::new(Duration::from_secs(900));
        let began = Instant::now();
        let mut reads = |after: Duration| {
            let channels = [idle.clone()];
            let of = |schedule: &mut ReadSchedule| schedule.due(&channels, 0, began + after).len();
            (of(&mut hasty), of(&mut schedule), idle.is_dormant())
        };
        assert_eq!(reads(Duration::ZERO), (1, 1, false));
        assert_eq!(reads(ACTIVE_FOR - Duration::from_secs(1)), (1, 1, false));
        assert_eq!(reads(ACTIVE_FOR), (0, 1, false));
        assert_eq!(reads(DORMANT_AFTER - Duration::from_secs(1)), (0, 1, false));
        assert_eq!(reads(DORMANT_AFTER), (0, 0, true));
    }

    #[test]
    fn indebted_channel_is_read_in_each_round() {
        let open = OpenStatement { receipts: 1, ..OpenStatement::new(0) };
        let (indebted, began) = (channel(open), Instant::now());
        let mut schedule = ReadSchedule::new(Duration::from_secs(900));
        for after in [Duration::ZERO, DORMANT_AFTER, DORMANT_AFTER * 2] {
            assert_eq!(schedule.due(std::slice::from_ref(&indebted), 0, began + after).len(), 1);
        }
    }

    #[test]
    fn used_channel_comes_back() {
        let (unused, began) = (channel(OpenStatement::new(0)), Instant::now());
        let mut schedule = ReadSchedule::new(Duration::from_secs(900));
        schedule.due(std::slice::from_ref(&unused), 0, began);
        assert!(schedule.due(&[unused], 0, began + DORMANT_AFTER).is_empty());
        let used = channel(OpenStatement::new(1));
        assert_eq!(schedule.due(std::slice::from_ref(&used), 0, began + DORMANT_AFTER).len(), 1);
        assert!(!used.is_dormant());
    }
}
