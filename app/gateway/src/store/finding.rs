use super::{
    Generation, Store, StoreError,
    row::{ChannelId, integer},
    runs,
    sql::{Pool, Query, query_of},
};

/// What generations are found by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name<'a> {
    /// SHA-256 of a receipt's bytes.
    Receipt(&'a [u8; 32]),
    /// SHA-256 of an output.
    Output(&'a [u8; 32]),
    /// An idempotency key, in the statement it was taken in.
    Key {
        /// The channel.
        channel_id: ChannelId,
        /// The statement's number.
        statement: u64,
        /// The key.
        key: &'a str,
    },
}

/// How many rows are read at once by their numbers.
const AT_ONCE: usize = 256;

/// The order of answers: that of time.
const ORDER: &str = "ORDER BY issued_at, channel_id, statement, position";

impl Name<'_> {
    /// What a file's runs have of it: 64 bits of a digest. Payers choose outputs and keys, so of
    /// those it is a digest's of their own.
    pub fn tag(&self) -> u64 {
        let digest = match self {
            Self::Receipt(digest) => **digest,
            Self::Output(digest) => *blake3::hash(*digest).as_bytes(),
            Self::Key { channel_id, statement, key } => {
                let mut hasher = blake3::Hasher::new();
                hasher.update(&channel_id.0.to_le_bytes()).update(&statement.to_le_bytes());
                *hasher.update(key.as_bytes()).finalize().as_bytes()
            }
        };
        let [a, b, c, d, e, f, g, h, ..] = digest;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// Whether it is the generation's: many generations may have the same tag.
    fn is_of(&self, generation: &Generation) -> bool {
        let receipt = &generation.receipt.receipt;
        match self {
            Self::Receipt(digest) => receipt.digest() == **digest,
            Self::Output(digest) => receipt.output_digest == **digest,
            Self::Key { channel_id, statement, key } => {
                generation.channel_id == *channel_id
                    && receipt.statement == *statement
                    && generation.idempotency_key == *key
            }
        }
    }

    /// What a server looks for, by one of its indexes.
    fn condition(&self) -> &'static str {
        match self {
            Self::Receipt(_) => "substr(evidence, 2, 32) = $2",
            Self::Output(_) => "substr(evidence, 34, 32) = $2",
            Self::Key { .. } => "channel_id = $2 AND statement = $3 AND idempotency_key = $4",
        }
    }

    fn bind<'q>(&'q self, query: Query<'q>) -> Query<'q> {
        match self {
            Self::Receipt(digest) | Self::Output(digest) => query.bind(&digest[..]),
            Self::Key { channel_id, statement, key } => {
                query.bind(channel_id.0).bind(integer(*statement)).bind(*key)
            }
        }
    }
}

impl Store {
    /// The generations of this name in the order of time, at most `limit`; of more, those that were
    /// stored first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn found(
        &self,
        name: &Name<'_>,
        limit: u32,
    ) -> Result<Vec<Generation>, StoreError> {
        let tables = self.tables().await?;
        let select = format!(
            "SELECT {} FROM generations JOIN channels ON channels.id = channel_id",
            Generation::COLUMNS
        );
        if let Pool::Postgres(_) = tables {
            let sql = format!("{select} WHERE {} {ORDER} LIMIT $1", name.condition());
            let rows = name.bind(query_of(sql).bind(i64::from(limit))).all(tables).await?;
            return rows.iter().map(Generation::read).collect();
        }
        let (mut found, mut behind) = (Vec::new(), Some(0));
        while let Some(after) = behind.filter(|_| found.len() < limit as usize) {
            let (ids, next) = runs::tagged(name.tag(), after, tables).await?;
            behind = next;
            for ids in ids.chunks(AT_ONCE) {
                let places: Vec<_> = (1..=ids.len()).map(|number| format!("${number}")).collect();
                let sql = format!("{select} WHERE generations.id IN ({})", places.join(", "));
                let rows = ids.iter().fold(query_of(sql), |query, id| query.bind(*id));
                for row in rows.all(tables).await? {
                    found.push(Generation::read(&row)?);
                }
                found.retain(|generation| name.is_of(generation));
                // Many may have one output: whoever asks for few of them does not read them all.
                if found.len() >= limit as usize {
                    break;
                }
            }
        }
        found.sort_unstable_by_key(|one| (one.receipt.receipt.issued_at, one.place()));
        found.truncate(limit as usize);
        Ok(found)
    }
}
