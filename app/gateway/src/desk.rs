use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use motif_ed25519_batch::PublicKey;
use motif_sdk::{
    Pubkey,
    channel::Channel,
    gateway::wire::{Amount, ExpectedStatement, StatementEntry},
    voucher::Statement,
};

use crate::{
    ledger::{CutStatement, Ledger},
    store::{Change, ChannelId, Lease, Store, Written},
};

/// Where one channel is served: everything that changes its ledger goes through its book, one
/// at a time, and into the store's queue in the same order.
#[derive(Debug)]
pub struct Desk {
    /// What allows this process to write the channel.
    pub lease: Lease,
    /// Where the channel is.
    pub address: Pubkey,
    /// Who funds it; never changes, as the next two.
    pub payer: Pubkey,
    /// The cluster's tag.
    pub cluster: [u8; 32],
    /// Which incarnation this is.
    pub opened_slot: u64,
    book: Mutex<Book>,
    /// When the chain last said what the channel is.
    seen_at: Mutex<Instant>,
    /// The newest slot it was read at.
    slot: AtomicU64,
    /// Voucher key of the newest voucher, decoded.
    key: Mutex<Option<PublicKey>>,
    /// Held while a statement settles: one at a time.
    pub settling: tokio::sync::Mutex<()>,
    /// Held until what the chain said is recorded: who looks next sees it on disk.
    pub observing: tokio::sync::Mutex<()>,
}

/// A channel's ledger with the names of its newest generations.
#[derive(Debug)]
pub struct Book {
    /// What was used and vouched for.
    pub ledger: Ledger,
    /// Idempotency keys of the open statement, and which generation each one paid for.
    pub keys: HashMap<String, u32>,
}

impl Desk {
    /// A desk for a channel.
    pub fn new(lease: Lease, ledger: Ledger, keys: HashMap<String, u32>) -> Self {
        let channel = ledger.channel();
        Self {
            lease,
            address: ledger.address(),
            payer: channel.payer,
            cluster: channel.cluster,
            opened_slot: channel.opened_slot,
            book: Mutex::new(Book { ledger, keys }),
            seen_at: Mutex::new(Instant::now()),
            slot: AtomicU64::default(),
            key: Mutex::default(),
            settling: tokio::sync::Mutex::new(()),
            observing: tokio::sync::Mutex::new(()),
        }
    }

    /// The channel's number in the store.
    pub fn id(&self) -> ChannelId {
        self.lease.channel_id
    }

    /// The book, for as long as it is held. Never held across an await.
    ///
    /// A panic while it was held leaves it as it was: the ledger changes last, or not at all.
    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs the channel's vouchers at `now`, unix seconds.
    pub fn voucher_key(&self, now: i64) -> Pubkey {
        *self.book().ledger.channel().voucher_key_at(now)
    }

    /// The chain has just said what the channel is.
    pub fn seen(&self) {
        *self.seen_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Returns a decoded voucher key, or `None` if it is not a point of the curve. Decodes it only
    /// when it changes.
    pub fn read_key(&self, key: &Pubkey) -> Option<PublicKey> {
        let mut known = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some(known) if known.as_bytes() == key.as_array() => Some(known.clone()),
            _ => {
                *known = Some(PublicKey::from_bytes(key.as_array())?);
                known.clone()
            }
        }
    }

    /// The channel was read at a slot; returns the newest one it was read at before.
    pub fn read_at(&self, slot: u64) -> u64 {
        self.slot.fetch_max(slot, Ordering::Relaxed)
    }

    /// How long the chain has said nothing of the channel.
    pub fn unseen_for(&self) -> Duration {
        self.seen_at.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// The channel as the chain had it when it was last read.
    pub fn channel(&self) -> Channel {
        *self.book().ledger.channel()
    }
}

impl Book {
    /// Ends the open statement and queues that; `None` when nothing was used.
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

    /// The open statement, for a payer whose picture of it differs.
    pub fn expected(&self, cumulative: u64) -> ExpectedStatement {
        let open = self.ledger.open_statement();
        ExpectedStatement {
            statement: open.number,
            cumulative: Amount(cumulative),
            entries: entries(&open.statement),
        }
    }
}

/// A statement's entries as they travel.
pub fn entries(statement: &Statement) -> Vec<StatementEntry> {
    let entry = |entry: motif_sdk::channel::Entry| StatementEntry {
        license: entry.license,
        units: entry.units,
    };
    statement.entries().map(entry).collect()
}
