use std::path::Path;

use bytemuck::Zeroable;
use ed25519_dalek::SigningKey;
use motif_interface::{
    Pubkey,
    channel::Channel,
    receipt::{Receipt, SignedReceipt},
};
use motif_store::{ChannelId, Generation, Store, StoreOptions};
use sqlx::{Connection, Sqlite, SqliteConnection, query::Query, sqlite::SqliteArguments};

pub const CHANNEL: Pubkey = Pubkey::new_from_array([5; 32]);
pub const CLUSTER: [u8; 32] = [3; 32];
pub const OPENED_SLOT: u64 = 11;

pub fn options() -> StoreOptions {
    StoreOptions::new(SigningKey::from_bytes(&[8; 32]))
}

pub async fn open(file: &Path) -> Store {
    options().open_file(file).await.unwrap()
}

/// Registers the channel.
pub async fn register(store: &Store) -> ChannelId {
    let mut account = Channel::DISCRIMINATOR.to_vec();
    let channel = Channel { cluster: CLUSTER, opened_slot: OPENED_SLOT, ..Channel::zeroed() };
    account.extend_from_slice(bytemuck::bytes_of(&channel));
    let registered =
        store.queries().register_channel(CHANNEL.as_array(), OPENED_SLOT, &account).await;
    registered.unwrap()
}

/// Returns the generation of this number. Statements have 500 generations.
pub fn generation(channel_id: ChannelId, number: u32) -> Generation {
    let mut output_digest = [0; 32];
    // Two generations have the same output.
    output_digest[..4].copy_from_slice(&(number / 2).to_le_bytes());
    let receipt = Receipt {
        channel: CHANNEL,
        opened_slot: OPENED_SLOT,
        statement: u64::from(number / 500),
        position: number % 500,
        license: 0,
        units: 1,
        terms_number: 1,
        amount: 100,
        cumulative: u64::from(number + 1) * 100,
        work: Pubkey::new_from_array([9; 32]),
        request_digest: [10; 32],
        output_digest,
        issued_at: time(number),
    };
    Generation {
        channel_id,
        // Each key is used once in each statement.
        idempotency_key: format!("key-{}", number % 500),
        part: 0,
        receipt: SignedReceipt::unsigned(receipt),
        voucher_key: Pubkey::new_from_array([16; 32]),
        voucher_expires_at: 17,
        voucher_signature: [18; 64],
        api_key: None,
        charged: 100,
    }
}

/// Returns the time of a generation, by a clock that is set back once.
fn time(number: u32) -> i64 {
    i64::from(if number < 600 { 1_000 + number } else { number })
}

/// Connects to the tables of a file.
pub async fn tables(file: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap()
}

/// Edits the tables of a file.
///
/// A dropped connection closes on another thread, which changes the files that a test then copies.
pub async fn edit(file: &Path, edit: Query<'_, Sqlite, SqliteArguments>) -> sqlx::Result<()> {
    let mut tables = tables(file).await;
    let edited = edit.execute(&mut tables).await;
    tables.close().await?;
    edited.map(drop)
}
