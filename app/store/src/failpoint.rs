/// Point on the path of a payment to the disk, or of a settlement to the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failpoint {
    /// The voucher is verified. Nothing is reserved.
    Reserving,
    /// The generation is in the ledger and in the writer's queue.
    Reserved,
    /// The writer has taken a group from the queue.
    Beginning,
    /// The transaction has begun, or the journal has room for the frame. Nothing is written.
    Begun,
    /// Everything is written. Nothing is durable.
    Committing,
    /// The group is durable. No caller was notified.
    Committed,
    /// The receipt of a durable generation is about to be returned.
    Answering,
    /// Journal records are in the transaction of the tables, which is not committed.
    Applying,
    /// Journal records are in the tables.
    Applied,
    /// A settlement transaction is signed and not stored.
    Signed,
    /// A settlement transaction is stored and not sent.
    Stored,
    /// A settlement transaction was sent.
    Sent,
    /// A settlement transaction has landed, which is not recorded.
    Landed,
    /// The settlement is recorded.
    Recorded,
}

impl Failpoint {
    /// All failpoints, in the order in which a payment and its settlement hit them.
    pub const ALL: [Self; 14] = [
        Self::Reserving,
        Self::Reserved,
        Self::Beginning,
        Self::Begun,
        Self::Committing,
        Self::Committed,
        Self::Answering,
        Self::Applying,
        Self::Applied,
        Self::Signed,
        Self::Stored,
        Self::Sent,
        Self::Landed,
        Self::Recorded,
    ];
}

/// Failpoint hook. Tests block or end the process in it.
pub trait Failpoints: Send + Sync + 'static {
    /// Called at every failpoint; the caller continues when it returns.
    fn hit(&self, failpoint: Failpoint);
}

/// No-op.
#[derive(Clone, Copy, Debug)]
pub struct NoFailpoints;

impl Failpoints for NoFailpoints {
    fn hit(&self, _: Failpoint) {}
}
