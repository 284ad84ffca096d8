use crate::generation::ChannelId;

/// Right to write a channel, until another process takes it.
///
/// A store in a file has one process; its leases have epoch 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The channel.
    pub channel_id: ChannelId,
    /// Raised whenever the channel's lease is taken.
    pub epoch: i64,
}

/// Holder of a lease that another process has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseHolder {
    /// Where clients reach the holder.
    pub url: String,
}
