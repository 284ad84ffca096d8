//! In-memory state of one channel.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use motif_ed25519_batch::{PublicKey, Verifier};
use motif_sdk::{
    Pubkey,
    channel::{Channel, Entry, Moment},
    gateway::wire::{Amount, ExpectedStatement, StatementEntry},
    voucher::{SignedVoucher, Statement},
};
use parking_lot::{Mutex, MutexGuard};

use crate::{
    error::GatewayError,
    id_locks::IdLocks,
    ledger::{CutStatement, Ledger, LedgerError},
    settlement::{SettleRequests, SettlementProgress},
    store::{Change, ChannelId, Lease, Store, Written},
};

/// In-memory state of a channel held by this process. All ledger changes are serialized by
/// [`ChannelHandle::lock`] and enter the store's queue in the same order.
#[derive(Debug)]
pub struct ChannelHandle {
    /// Lease that allows this process to write the channel.
    pub lease: Lease,
    /// Address of the channel.
    pub address: Pubkey,
    /// Payer of the channel.
    pub payer: Pubkey,
    /// Tag of the cluster.
    pub cluster: [u8; 32],
    /// Slot that identifies the incarnation.
    pub opened_slot: u64,
    state: Mutex<LockedChannel>,
    /// Time of the last read from the cluster.
    seen_at: Mutex<Instant>,
    /// Newest slot of a read.
    slot: AtomicU64,
    /// Number of statements on chain after a rollback; `u64::MAX` if there was none.
    rolled_back_to: AtomicU64,
    /// Newest voucher key, decoded.
    voucher_key: Mutex<Option<PublicKey>>,
    /// Held while a statement settles: one at a time.
    pub settling: tokio::sync::Mutex<()>,
    /// Settle requests of the payer. Held while one settles.
    pub settle_requests: tokio::sync::Mutex<SettleRequests>,
    /// Attempts at the settlement in progress.
    pub progress: SettlementProgress,
    /// Time of the last read on behalf of a payment; held during it.
    woken_at: tokio::sync::Mutex<Option<Instant>>,
    /// Whether the channel is not read periodically, because it has not been used for days.
    is_dormant: AtomicBool,
    /// Locks of the channel's holds.
    pub hold_locks: IdLocks,
    /// BLAKE3 digest of the channel's account in the store. Held until a read is recorded, so that
    /// the next read finds it on disk.
    pub recorded: tokio::sync::Mutex<[u8; 32]>,
}

/// Ledger of a channel with the idempotency keys of its open statement.
#[derive(Debug)]
pub struct LockedChannel {
    /// Units, statements and holds.
    pub ledger: Ledger,
    /// Position of the first generation by idempotency key.
    pub keys: HashMap<String, u32>,
}

impl ChannelHandle {
    /// Creates the handle of a channel whose stored account has the BLAKE3 digest `recorded`.
    pub fn new(
        lease: Lease,
        ledger: Ledger,
        keys: HashMap<String, u32>,
        recorded: [u8; 32],
    ) -> Self {
        let channel = ledger.channel();
        Self {
            lease,
            address: ledger.address(),
            payer: channel.payer,
            cluster: channel.cluster,
            opened_slot: channel.opened_slot,
            state: Mutex::new(LockedChannel { ledger, keys }),
            seen_at: Mutex::new(Instant::now()),
            slot: AtomicU64::default(),
            rolled_back_to: AtomicU64::new(u64::MAX),
            voucher_key: Mutex::default(),
            settling: tokio::sync::Mutex::new(()),
            settle_requests: tokio::sync::Mutex::default(),
            progress: SettlementProgress::default(),
            woken_at: tokio::sync::Mutex::default(),
            is_dormant: AtomicBool::default(),
            hold_locks: IdLocks::default(),
            recorded: tokio::sync::Mutex::new(recorded),
        }
    }

    /// Returns the channel's identifier in the store.
    pub fn id(&self) -> ChannelId {
        self.lease.channel_id
    }

    /// Locks the ledger. Never hold the guard across an await.
    ///
    /// A panic under the lock leaves the ledger consistent, because changes are committed last.
    pub fn lock(&self) -> MutexGuard<'_, LockedChannel> {
        self.state.lock()
    }

    /// Verifies that a voucher is for this channel and signed by its voucher key at `now`, which
    /// is set as the voucher's key.
    ///
    /// # Errors
    /// [`GatewayError::VoucherOtherChannel`], [`GatewayError::VoucherSignature`].
    pub async fn verify(
        &self,
        signed: &mut SignedVoucher,
        verifier: &Verifier,
        now: i64,
    ) -> Result<(), GatewayError> {
        let voucher = &signed.voucher;
        let is_for_this = voucher.channel == self.address
            && voucher.opened_slot == self.opened_slot
            && voucher.cluster == self.cluster;
        if !is_for_this {
            return Err(GatewayError::VoucherOtherChannel);
        }
        let message = voucher.to_bytes();
        signed.key = *self.lock().ledger.channel().voucher_key_at(Moment::running(now));
        let key = self.decoded_key(&signed.key).ok_or(GatewayError::VoucherSignature)?;
        if verifier.verify(&key, &message, &signed.signature).await {
            Ok(())
        } else {
            Err(GatewayError::VoucherSignature)
        }
    }

    /// Returns a decoded voucher key, or `None` if it is not a curve point. The newest key is
    /// cached.
    fn decoded_key(&self, key: &Pubkey) -> Option<PublicKey> {
        let mut cached = self.voucher_key.lock();
        match &*cached {
            Some(decoded) if decoded.as_bytes() == key.as_array() => Some(decoded.clone()),
            _ => {
                *cached = Some(PublicKey::from_bytes(key.as_array())?);
                cached.clone()
            }
        }
    }

    /// Records that the channel was read from the cluster now.
    pub fn mark_seen(&self) {
        *self.seen_at.lock() = Instant::now();
    }

    /// Records the slot of a read. Returns the newest slot before it.
    pub fn mark_read_at(&self, slot: u64) -> u64 {
        self.slot.fetch_max(slot, Ordering::Relaxed)
    }

    /// Records the number of statements on chain after a rollback of settlements, or `None` once they
    /// have settled again. Returns whether the rollback is a new one.
    pub fn mark_rolled_back(&self, on_chain: Option<u64>) -> bool {
        let on_chain = on_chain.unwrap_or(u64::MAX);
        self.rolled_back_to.swap(on_chain, Ordering::Relaxed) == u64::MAX && on_chain != u64::MAX
    }

    /// Returns the first statement that the cluster has rolled back.
    pub fn rolled_back(&self) -> Option<u64> {
        let first = self.rolled_back_to.load(Ordering::Relaxed);
        (first != u64::MAX).then_some(first)
    }

    /// Returns the time since the last read from the cluster.
    pub fn unseen_for(&self) -> Duration {
        self.seen_at.lock().elapsed()
    }

    /// Checks that the last read from the cluster is recent. The payer may have started to close
    /// the channel since, and only earlier vouchers are certain to settle.
    ///
    /// # Errors
    /// [`GatewayError::ChannelUnseen`].
    pub fn check_seen(&self, max_blind_seconds: u32) -> Result<(), GatewayError> {
        let unseen = self.unseen_for().as_secs();
        let is_recent = unseen <= u64::from(max_blind_seconds);
        if is_recent { Ok(()) } else { Err(GatewayError::ChannelUnseen(unseen)) }
    }

    /// Waits for the turn to read the channel on behalf of a payment, which lasts as long as the
    /// result is held. Returns `None` if the channel was read within `max_age` or the last such read
    /// began within `pause`.
    pub async fn turn_to_wake(
        &self,
        max_age: Duration,
        pause: Duration,
    ) -> Option<tokio::sync::MutexGuard<'_, Option<Instant>>> {
        if self.unseen_for() <= max_age {
            return None;
        }
        let mut woken_at = self.woken_at.lock().await;
        let is_early = woken_at.is_some_and(|at| at.elapsed() < pause);
        if is_early || self.unseen_for() <= max_age {
            return None;
        }
        *woken_at = Some(Instant::now());
        Some(woken_at)
    }

    /// Returns whether a statement before a number has generations and has not settled.
    pub fn owes_before(&self, number: u64) -> bool {
        let locked = self.lock();
        let (cut, open) = (locked.ledger.cut_statements(), locked.ledger.open_statement());
        let is_open_owed = open.receipts > 0 && open.number < number;
        is_open_owed || cut.front().is_some_and(|cut| cut.number < number)
    }

    /// Records whether the channel is read periodically.
    pub fn set_dormant(&self, is_dormant: bool) {
        self.is_dormant.store(is_dormant, Ordering::Relaxed);
    }

    /// Returns whether the channel is not read periodically.
    pub fn is_dormant(&self) -> bool {
        self.is_dormant.load(Ordering::Relaxed)
    }

    /// Returns the channel as last read from the cluster.
    pub fn account(&self) -> Channel {
        *self.lock().ledger.channel()
    }
}

impl LockedChannel {
    /// Closes the open statement and queues the change. Returns `None` if no generation is open.
    pub fn cut(
        &mut self,
        lease: Lease,
        store: &Store,
        now: i64,
    ) -> Option<(CutStatement, Written)> {
        let cut = self.ledger.cut()?.clone();
        self.keys = HashMap::new();
        let change = Change::Cut {
            channel_id: lease.channel_id,
            number: cut.number,
            entries: cut.statement.to_bytes(),
            prices: cut.prices,
            cut_at: now,
        };
        let written = store.writer().write_channel(lease, change);
        Some((cut, written))
    }

    /// Returns the open statement for a payer whose copy may differ.
    pub fn expected(&self, cumulative: u64) -> ExpectedStatement {
        let open = self.ledger.open_statement();
        ExpectedStatement {
            statement: open.number,
            cumulative: Amount(cumulative),
            entries: entries(&open.statement),
        }
    }

    /// Returns a rejection, with the open statement if the payer's copy may differ.
    pub fn rejected(&self, error: LedgerError) -> GatewayError {
        let total = match error {
            LedgerError::WrongPrice { expected, .. } => Some(expected),
            LedgerError::StatementClosed
            | LedgerError::StatementAhead { .. }
            | LedgerError::NotNewer { .. }
            | LedgerError::StatementMismatch => Some(self.ledger.cumulative().unwrap_or(u64::MAX)),
            _ => None,
        };
        GatewayError::Rejected { error, expected: total.map(|total| self.expected(total)) }
    }
}

/// Returns a statement's entries in their JSON form.
pub fn entries(statement: &Statement) -> Vec<StatementEntry> {
    let entry = |entry: Entry| StatementEntry { license: entry.license, units: entry.units };
    statement.entries().map(entry).collect()
}
