/// A point on a change's way to the disk, or on a settlement's way to the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// A voucher has verified; nothing is reserved.
    Reserving,
    /// The ledger has taken a generation, and it waits for the writer.
    Reserved,
    /// The writer has a group, and no transaction or no place in the journal.
    Beginning,
    /// The transaction has begun, or the place is found; nothing is in it.
    Begun,
    /// Everything is in it, and it is not on disk.
    Committing,
    /// It is on disk, and nobody has been told.
    Committed,
    /// What was paid for is about to be answered.
    Answering,
    /// What the journal has is in the tables' transaction.
    Applying,
    /// The tables have it.
    Applied,
    /// A settlement transaction is signed and not stored.
    Signed,
    /// It is stored and not sent.
    Stored,
    /// It was sent.
    Sent,
    /// It has landed, and the store does not know.
    Landed,
    /// The store knows.
    Recorded,
}

impl Moment {
    /// All of them, in the order they come in.
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

/// Is told of every moment. A test ends the process at one of them.
pub trait Moments: Send + Sync + 'static {
    /// A moment has come; it goes on when this returns.
    fn pass(&self, moment: Moment);
}

/// Lets every moment pass.
#[derive(Clone, Copy, Debug)]
pub struct NoMoments;

impl Moments for NoMoments {
    fn pass(&self, _: Moment) {}
}
