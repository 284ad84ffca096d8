use motif_sdk::{
    channel::{self, Entry, License, ReceiptsCommitment},
    voucher::{SignedVoucher, Voucher},
};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

use super::{Call, OpenedChannel, Person, World};

/// Statement with its voucher, ready to settle.
#[derive(Clone, Debug)]
pub struct SignedStatement {
    /// Voucher.
    pub voucher: Voucher,
    /// Signer of the voucher.
    pub key: Person,
    /// Bytes of the statement.
    pub entries: Vec<u8>,
    /// Operator's commitment to the receipts.
    pub receipts: Option<ReceiptsCommitment>,
    /// Sender of the transaction.
    pub settler: Person,
    /// The authority of the channel's operator.
    pub operator: Pubkey,
}

impl SignedStatement {
    /// Changes the voucher.
    pub fn with(mut self, change: impl FnOnce(&mut Voucher)) -> Self {
        change(&mut self.voucher);
        self
    }

    /// Replaces the statement's bytes, and their digest in the voucher.
    pub fn stating(mut self, entries: Vec<u8>) -> Self {
        self.voucher.statement_digest = hash(&entries).to_bytes();
        self.entries = entries;
        self
    }

    /// Sets the sender.
    pub fn sent_by(mut self, settler: &Person) -> Self {
        self.settler = settler.clone();
        self
    }

    /// Sets the signer of the voucher.
    pub fn signed_by(mut self, key: &Person) -> Self {
        self.key = key.clone();
        self
    }

    /// Sets the commitment to receipts.
    pub fn committing_to(mut self, receipts: Option<ReceiptsCommitment>) -> Self {
        self.receipts = receipts;
        self
    }

    /// Returns the signed voucher.
    pub fn signed(&self) -> SignedVoucher {
        SignedVoucher::sign(self.voucher, &self.key.signing_key())
    }

    /// Returns the calls that write the statement to its buffer, each within a packet.
    pub fn buffer_instructions(&self) -> Vec<Call> {
        let stage =
            channel::buffer_statement(&self.settler.key(), &self.voucher.channel, &self.entries);
        stage.into_iter().map(|part| Call::new([part], &[&self.settler])).collect()
    }

    /// Returns the call that proves and settles the buffered statement.
    pub fn buffered_call(&self) -> Call {
        let settle = channel::settle_buffered(
            &self.settler.key(),
            &self.operator,
            &self.signed(),
            self.receipts,
        );
        Call::new(settle, &[&self.settler])
    }

    /// Returns the co-signed settlement: the voucher key signs the transaction.
    pub fn cosigned_call(&self) -> Call {
        let settle = channel::settle_cosigned(
            &self.settler.key(),
            &self.operator,
            &self.key.key(),
            &self.voucher,
            self.entries.clone(),
            self.receipts,
        );
        Call::new([settle], &[&self.settler, &self.key])
    }

    /// Returns the call that proves and settles the statement.
    pub fn call(&self) -> Call {
        let settle = channel::settle(
            &self.settler.key(),
            &self.operator,
            &self.signed(),
            self.entries.clone(),
            self.receipts,
        );
        Call::new(settle, &[&self.settler])
    }
}

impl World {
    /// Returns the channel's next statement over these (license, units), in the order given, with a
    /// voucher for its exact total.
    pub fn statement(&self, channel: &OpenedChannel, entries: &[(u16, u32)]) -> SignedStatement {
        let state = self.read(channel);
        let price = |&(index, units): &(u16, u32)| match state.licenses.get(usize::from(index)) {
            Some(license) => price_of(license, units),
            None => 0,
        };
        let prices = entries.iter().map(price).fold(0_u64, u64::wrapping_add);
        let total = state.channel.prices.wrapping_add(prices);
        let fee_bps = u128::from(state.channel.operator_fee_bps);
        let fees = (u128::from(total) * fee_bps / 10_000) as u64; // a part of `total`
        let bytes: Vec<u8> = entries
            .iter()
            .flat_map(|&(license, units)| Entry { license, units }.to_bytes())
            .collect();
        SignedStatement {
            voucher: Voucher {
                cluster: super::CLUSTER,
                channel: channel.address,
                opened_slot: state.channel.opened_slot,
                statement: state.channel.statements.length,
                cumulative: total.wrapping_add(fees),
                statement_digest: hash(&bytes).to_bytes(),
                expires_at: i64::MAX,
            },
            key: channel.voucher_key.clone(),
            entries: bytes,
            receipts: Some(ReceiptsCommitment { root: [0xEC; 32], sum: prices }),
            settler: channel.operator.clone(),
            operator: channel.operator.key(),
        }
    }
}

fn price_of(license: &License, units: u32) -> u64 {
    let paid = u64::from(units).saturating_sub(license.free_units_left);
    license.price.wrapping_mul(paid)
}
