//! A channel whose stored state is corrupt.

use std::time::Duration;

use motif_sdk::{
    Pubkey,
    gateway::{Payer, PayerOptions},
};
use reqwest::{Client, Method};
use sqlx::{Connection, SqliteConnection, query};

use crate::world::{Answer, CHANNEL, SECRET, World, reader_of, voucher_key, with_admin};

/// Another channel on the chain.
const OTHER: Pubkey = Pubkey::new_from_array([105; 32]);

async fn session(world: &World, channel: Pubkey) -> Payer {
    let account = world.chain.state().channels[&channel].clone();
    let options = PayerOptions::default();
    Payer::open(world.client(), channel, &account, voucher_key(), options).await.unwrap()
}

async fn metric(world: &World, line: &str) -> bool {
    let url = format!("{}/metrics", world.gateway.admin_url().unwrap());
    let text = Answer::to(Client::new().get(url).bearer_auth(SECRET)).await.text();
    text.lines().any(|own| own == line)
}

/// Flips the bits of a byte in the newest voucher's signature.
async fn damage(world: &World) {
    let file = format!("sqlite:{}", world.store().display());
    let mut tables = SqliteConnection::connect(&file).await.unwrap();
    let rows = query(
        "SELECT MAX(generations.id) AS id FROM generations JOIN channels \
         ON channels.id = channel_id WHERE address = $1",
    );
    let row = rows.bind(CHANNEL.as_array().as_slice()).fetch_one(&mut tables).await.unwrap();
    let id: i64 = sqlx::Row::get(&row, "id");
    let row = query("SELECT evidence FROM generations WHERE id = $1").bind(id);
    let mut evidence: Vec<u8> =
        sqlx::Row::get(&row.fetch_one(&mut tables).await.unwrap(), "evidence");
    // The layout's number, three digests and the receipt's signature come before it.
    evidence[1 + 3 * 32 + 64] ^= 0xFF;
    let update = query("UPDATE generations SET evidence = $1 WHERE id = $2");
    update.bind(evidence).bind(id).execute(&mut tables).await.unwrap();
}

#[tokio::test]
async fn corrupt_channel_is_quarantined_alone() {
    let world = World::with(with_admin).await;
    let account = world.chain.channel_account();
    world.chain.state().channels.insert(OTHER, account);
    session(&world, CHANNEL).await.generate(0, 1, [1; 32], [1; 32]).await.unwrap();
    let other = session(&world, OTHER).await;
    other.generate(0, 1, [2; 32], [2; 32]).await.unwrap();
    world.admin().reconcile().await.unwrap(); // applies the journal
    damage(&world).await;
    let world = world.restarted(true).await;

    let path = format!("/v1/channels/{CHANNEL}");
    let refused = world.send(Method::GET, &path, None, None).await;
    refused.assert_problem(503, "channel-quarantined");
    let refused = world.client().open_channel(&CHANNEL).await.unwrap_err();
    assert_eq!(refused.slug(), Some("channel-quarantined"));
    let quarantined = world.admin().quarantined().await.unwrap();
    assert_eq!(quarantined.len(), 1);
    assert_eq!(quarantined[0].channel.unwrap().0, CHANNEL);
    assert!(quarantined[0].reason.contains("does not cover"), "{}", quarantined[0].reason);
    assert!(metric(&world, "motif_channels_unreadable 1").await);
    let books = world.admin().reconcile().await.unwrap();
    assert_eq!((books.exact, books.channels.len(), books.quarantined.len()), (false, 1, 1));

    // The other one is served and settled.
    let client = world.client().reader(reader_of(OTHER));
    let state = client.channel(&OTHER).await.unwrap();
    assert_eq!(state.open.receipts, 1);
    assert_eq!(world.admin().settle(&OTHER).await.unwrap()[0].prices.0, 100);

    // Once the operator has repaired the row, the channel can be opened.
    damage(&world).await;
    // A refusal is remembered for a second.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(world.client().open_channel(&CHANNEL).await.unwrap().open.receipts, 1);
    assert!(world.admin().quarantined().await.unwrap().is_empty());
    assert!(world.admin().reconcile().await.unwrap().exact);
}

#[tokio::test]
async fn value_of_wrong_type_is_quarantined() {
    let world = World::with(with_admin).await;
    session(&world, CHANNEL).await.generate(0, 1, [1; 32], [1; 32]).await.unwrap();
    world.admin().reconcile().await.unwrap();
    let file = format!("sqlite:{}", world.store().display());
    let mut tables = SqliteConnection::connect(&file).await.unwrap();
    let shorten = "UPDATE channels SET account = x'00'";
    query(shorten).execute(&mut tables).await.unwrap();
    let world = world.restarted(true).await;
    let quarantined = world.admin().quarantined().await.unwrap();
    assert_eq!(quarantined[0].channel.unwrap().0, CHANNEL);
}
