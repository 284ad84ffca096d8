use crate::{
    generation::{ChannelId, Generation},
    sql::{Query, integer},
};

/// Key by which generations are looked up.
#[derive(Clone, Copy, Debug)]
pub enum LookupKey<'a> {
    /// SHA-256 of the receipt's bytes.
    Receipt(&'a [u8; 32]),
    /// SHA-256 of the output.
    Output(&'a [u8; 32]),
    /// Idempotency key within a statement.
    Idempotency {
        /// The channel.
        channel_id: ChannelId,
        /// The statement's number.
        statement: u64,
        /// The key.
        key: &'a str,
    },
}

impl LookupKey<'_> {
    /// Returns the tag that runs index: 64 bits of a digest. Clients choose outputs and idempotency
    /// keys, so their tags are taken from a hash of them.
    pub fn tag(&self) -> u64 {
        let digest = match self {
            Self::Receipt(digest) => **digest,
            Self::Output(digest) => *blake3::hash(*digest).as_bytes(),
            Self::Idempotency { channel_id, statement, key } => {
                let mut hasher = blake3::Hasher::new();
                hasher.update(&channel_id.0.to_le_bytes()).update(&statement.to_le_bytes());
                *hasher.update(key.as_bytes()).finalize().as_bytes()
            }
        };
        let [a, b, c, d, e, f, g, h, ..] = digest;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// Returns whether a generation has this key. Generations with equal tags may not.
    pub fn matches(&self, generation: &Generation) -> bool {
        let receipt = &generation.receipt.receipt;
        match self {
            Self::Receipt(digest) => receipt.digest() == **digest,
            Self::Output(digest) => receipt.output_digest == **digest,
            Self::Idempotency { channel_id, statement, key } => {
                generation.channel_id == *channel_id
                    && receipt.statement == *statement
                    && generation.idempotency_key == *key
            }
        }
    }

    /// Returns the condition for PostgreSQL, which uses an index. Parameter 1 is the caller's.
    pub fn condition(&self) -> &'static str {
        match self {
            Self::Receipt(_) => "substr(evidence, 2, 32) = $2",
            Self::Output(_) => "substr(evidence, 34, 32) = $2",
            Self::Idempotency { .. } => {
                "channel_id = $2 AND statement = $3 AND idempotency_key = $4"
            }
        }
    }

    /// Binds the parameters of [`LookupKey::condition`].
    pub fn bind<'q>(&'q self, query: Query<'q>) -> Query<'q> {
        match self {
            Self::Receipt(digest) | Self::Output(digest) => query.bind(&digest[..]),
            Self::Idempotency { channel_id, statement, key } => {
                query.bind(channel_id.0).bind(integer(*statement)).bind(*key)
            }
        }
    }
}
