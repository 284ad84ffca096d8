use bytemuck::Zeroable;
use ed25519_dalek::SigningKey;
use motif_sdk::{
    Pubkey,
    channel::{Channel, ChannelAccount, License},
    gateway::{
        ChannelReader, GatewayClient,
        wire::{ChannelState, Digest, GenerationRequest},
    },
    voucher::{SignedVoucher, Statement, Voucher},
};

/// Channel of the tests' payer.
pub const CHANNEL: Pubkey = Pubkey::new_from_array([5; 32]);
/// Mint of the channel.
pub const MINT: Pubkey = Pubkey::new_from_array([6; 32]);
const FEE_BPS: u16 = 200;

/// Returns the key that signs the vouchers of [`CHANNEL`].
pub fn voucher_key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

/// Returns an unlimited license at `price` base units.
pub fn license(price: u64) -> License {
    License {
        work: Pubkey::new_from_array([7; 32]),
        terms_number: 1,
        price,
        units_left: License::UNLIMITED,
        daily_units: License::UNLIMITED,
        revenue_left: License::UNLIMITED,
        expires_at: i64::MAX,
        ..License::zeroed()
    }
}

/// Returns the account of [`CHANNEL`]: 1,000,000 base units deposited, one license at 100.
pub fn channel_account(operator: Pubkey) -> ChannelAccount {
    let channel = Channel {
        version: Channel::VERSION,
        operator_fee_bps: FEE_BPS,
        grace_seconds: 7_200,
        payer: Pubkey::new_from_array([1; 32]),
        operator,
        mint: MINT,
        voucher_key: Pubkey::new_from_array(voucher_key().verifying_key().to_bytes()),
        cluster: [3; 32],
        opened_slot: 11,
        deposited: 1_000_000,
        closes_at: i64::MAX,
        rotates_at: i64::MAX,
        ..Channel::zeroed()
    };
    ChannelAccount { channel, licenses: vec![license(100)] }
}

/// Returns a client that reads [`CHANNEL`] as its payer.
pub fn payer_client(url: &str) -> GatewayClient {
    GatewayClient::new(url).reader(reader_of(CHANNEL))
}

/// Returns the reader of a channel of the tests, which all have one voucher key.
pub fn reader_of(channel: Pubkey) -> ChannelReader {
    let account = channel_account(Pubkey::default());
    ChannelReader::new(channel, &account.channel, voucher_key())
}

/// Returns a request for one more unit of license 0, after the gateway's state.
pub fn next_request(state: &ChannelState, key: &SigningKey) -> GenerationRequest {
    let entries = state.open.entries.iter().map(|entry| (entry.license, entry.units));
    let mut statement: Statement = entries.collect();
    statement.add(0, 1).unwrap();
    let unsettled: u64 = state.unsettled.iter().map(|statement| statement.prices.0).sum();
    let open = state.open.prices.0 + unsettled;
    let settled = settled_prices(state, open);
    let prices = settled + open + 100;
    let voucher = Voucher {
        cluster: state.cluster.0,
        channel: state.channel.0,
        opened_slot: state.opened_slot,
        statement: state.open.statement,
        cumulative: prices + prices * u64::from(FEE_BPS) / 10_000,
        statement_digest: statement.digest(),
        expires_at: i64::from(u32::MAX),
    };
    GenerationRequest {
        voucher: SignedVoucher::sign(voucher, key),
        license: 0,
        units: 1,
        request_digest: Digest([21; 32]),
        output_digest: Digest([22; 32]),
    }
}

/// Returns the settled prices. A generation in these tests costs 100 and a fee of 2.
fn settled_prices(state: &ChannelState, open: u64) -> u64 {
    state.cumulative.0 / 102 * 100 - open
}
