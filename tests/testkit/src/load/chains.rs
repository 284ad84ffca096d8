use std::thread;

use ed25519_dalek::SigningKey;
use motif_sdk::{
    Pubkey,
    channel::ChannelAccount,
    gateway::wire::{Digest, GenerationRequest},
    voucher::{SignedVoucher, Statement, Voucher},
};

use crate::world::World;

/// Channel with prepared requests, each for one more generation.
pub struct Chain {
    /// The channel's address.
    pub channel: Pubkey,
    /// The channel's account.
    pub account: ChannelAccount,
    key: SigningKey,
    /// HTTP requests in order.
    pub requests: Vec<Vec<u8>>,
}

impl Chain {
    /// Creates a channel with its own voucher key.
    pub fn new(world: &World, number: u32) -> Self {
        let digest = |what: &str| *blake3::hash(format!("{what} {number}").as_bytes()).as_bytes();
        let key = SigningKey::from_bytes(&digest("voucher key"));
        let mut account = world.chain.channel_account();
        account.channel.deposited = 1 << 60;
        account.channel.voucher_key = Pubkey::new_from_array(key.verifying_key().to_bytes());
        Self { channel: Pubkey::new_from_array(digest("channel")), account, key, requests: vec![] }
    }

    /// Signs requests for generations after the first `paid` ones of the open statement.
    fn prepare(&mut self, paid: u32, count: u32) {
        self.requests = (paid..paid + count).map(|before| self.request(before)).collect();
    }

    fn request(&self, before: u32) -> Vec<u8> {
        let (channel, license) = (&self.account.channel, self.account.licenses[0]);
        let units = before + 1;
        let prices = license.price * u64::from(units);
        let statement: Statement = [(0, units)].into_iter().collect();
        let voucher = Voucher {
            cluster: channel.cluster,
            channel: self.channel,
            opened_slot: channel.opened_slot,
            statement: 0,
            cumulative: prices + prices * u64::from(channel.operator_fee_bps) / 10_000,
            statement_digest: statement.digest(),
            expires_at: i64::from(u32::MAX),
        };
        let body = GenerationRequest {
            voucher: SignedVoucher::sign(voucher, &self.key),
            license: 0,
            units: 1,
            request_digest: Digest(*blake3::hash(&before.to_le_bytes()).as_bytes()),
            output_digest: Digest([2; 32]),
        };
        let body = serde_json::to_string(&body).unwrap();
        let (path, length) = (format!("/v1/channels/{}/generations", self.channel), body.len());
        format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             idempotency-key: {before:016x}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// Signs `count` requests for each of `channels` channels, on every core.
pub fn chains(world: &World, first: u32, channels: u32, paid: u32, count: u32) -> Vec<Chain> {
    let mut chains: Vec<_> = (0..channels).map(|n| Chain::new(world, first + n)).collect();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for part in chains.chunks_mut((channels as usize).div_ceil(cores)) {
            scope.spawn(move || part.iter_mut().for_each(|chain| chain.prepare(paid, count)));
        }
    });
    chains
}

/// Makes the gateway serve these channels.
pub async fn open(world: &World, chains: &[Chain]) {
    for chain in chains {
        world.chain.state().channels.insert(chain.channel, chain.account.clone());
        world.client().open_channel(&chain.channel).await.unwrap();
    }
}
