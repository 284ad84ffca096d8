use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_message::{Message, VersionedMessage, v1};
use solana_pubkey::Pubkey;
use solana_transaction::versioned::VersionedTransaction;

use super::{
    ComputeBudget, DynSigner,
    batch::{PACKET_BYTES, transaction_bytes},
};
use crate::{Error, Refusal};

/// Maximum size of a version 1 transaction on the wire, bytes (SIMD-0385).
pub const LARGE_PACKET_BYTES: usize = 4_096;
/// A version 1 message must state this limit.
const LOADED_BYTES: u32 = 64 * 1024 * 1024;

/// Creates a signed transaction: a legacy transaction if it fits a packet, or a version 1
/// transaction. Clusters without version 1 reject the latter. A legacy transaction without room for
/// the compute budget goes without it.
///
/// # Errors
/// [`Error::Rejected`] if the instructions exceed the largest transaction; [`Error::Signer`].
pub(super) fn sealed(
    instructions: &[Instruction],
    fee_payer: &Pubkey,
    signers: &[&DynSigner],
    blockhash: Hash,
    budget: ComputeBudget,
) -> Result<VersionedTransaction, Error> {
    let message = message(instructions, fee_payer, blockhash, budget)?;
    Ok(VersionedTransaction::try_new(message, signers)?)
}

/// Creates the message of [`sealed`].
///
/// # Errors
/// [`Error::Rejected`] if the instructions exceed the largest transaction.
pub(super) fn message(
    instructions: &[Instruction],
    fee_payer: &Pubkey,
    blockhash: Hash,
    budget: ComputeBudget,
) -> Result<VersionedMessage, Error> {
    for classic in [&budget.before(instructions)[..], instructions] {
        if transaction_bytes(classic, fee_payer) <= PACKET_BYTES {
            let classic = Message::new_with_blockhash(classic, Some(fee_payer), &blockhash);
            return Ok(VersionedMessage::Legacy(classic));
        }
    }
    let config = v1::TransactionConfig::empty()
        .with_compute_unit_limit(budget.units)
        .with_loaded_accounts_data_size_limit(LOADED_BYTES);
    let config = match budget.lamports() {
        0 => config,
        lamports => config.with_priority_fee(lamports),
    };
    let large = v1::Message::try_compile_with_config(fee_payer, instructions, blockhash, config);
    let large = large.map_err(|error| refused(error.to_string()))?;
    let signatures = usize::from(large.header.num_required_signatures);
    let bytes = 1 + large.size() + signatures * 64;
    if bytes > LARGE_PACKET_BYTES {
        return Err(refused(format!(
            "the transaction has {bytes} bytes, at most {LARGE_PACKET_BYTES} are allowed; send its \
             instructions in several transactions"
        )));
    }
    Ok(VersionedMessage::V1(large))
}

fn refused(message: String) -> Error {
    Error::Rejected(Box::new(Refusal::local(message)))
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use solana_instruction::AccountMeta;
    use solana_keypair::Keypair;
    use solana_signer::Signer;

    use super::*;
    use crate::{
        channel::{self, ReceiptsCommitment},
        voucher::{SignedVoucher, Statement, Voucher},
    };

    fn instruction(data_bytes: usize) -> Instruction {
        Instruction {
            program_id: Pubkey::new_unique(),
            accounts: vec![AccountMeta::new(Pubkey::new_unique(), false)],
            data: vec![7; data_bytes],
        }
    }

    const BUDGET: ComputeBudget = ComputeBudget { units: 50_000, price: 1_000 };

    fn seal(data_bytes: usize) -> Result<VersionedTransaction, Error> {
        let payer = Keypair::new();
        sealed(&[instruction(data_bytes)], &payer.pubkey(), &[&payer], Hash::default(), BUDGET)
    }

    fn instructions(transaction: &VersionedTransaction) -> usize {
        transaction.message.instructions().len()
    }

    #[test]
    fn small_transaction_is_legacy() {
        let classic = seal(900).unwrap();
        assert!(matches!(classic.message, VersionedMessage::Legacy(_)));
        assert_eq!(instructions(&classic), 3, "limit and price come first");
    }

    #[test]
    fn full_packet_goes_without_budget() {
        let length = |sealed: &VersionedTransaction| wincode::serialize(sealed).unwrap().len();
        let most = (900..1_232)
            .rev()
            .find(|bytes| matches!(seal(*bytes).unwrap().message, VersionedMessage::Legacy(_)));
        let (most, room) = (most.unwrap(), ComputeBudget::BYTES);
        let full = seal(most).unwrap();
        assert_eq!((length(&full), instructions(&full)), (PACKET_BYTES, 1));
        let priced = seal(most - room).unwrap();
        assert_eq!((length(&priced), instructions(&priced)), (PACKET_BYTES, 3));
        assert_eq!(instructions(&seal(most - room + 1).unwrap()), 1);
    }

    #[test]
    fn full_statement_leaves_room_for_budget() {
        let voucher = Voucher {
            cluster: [1; 32],
            channel: Pubkey::new_unique(),
            opened_slot: 1,
            statement: 2,
            cumulative: 3,
            statement_digest: [4; 32],
            expires_at: 5,
        };
        let voucher = SignedVoucher::sign(voucher, &SigningKey::from_bytes(&[9; 32]));
        let full: Statement =
            (0..Statement::MAX_LICENSES as u16).map(|license| (license, 1)).collect();
        let (settler, operator) = (Pubkey::new_unique(), Pubkey::new_unique());
        let receipts = Some(ReceiptsCommitment { root: [6; 32], sum: 7 });
        let settle = channel::settle(&settler, &operator, &voucher, full.to_bytes(), receipts);
        let priced = BUDGET.before(&settle);
        assert_eq!(priced.len(), 4);
        let bytes = transaction_bytes(&priced, &settler);
        assert!(bytes <= PACKET_BYTES && bytes + 6 > PACKET_BYTES, "{bytes} bytes");
    }

    #[test]
    fn large_transaction_is_version_one() {
        let large = seal(3_000).unwrap();
        assert!(matches!(large.message, VersionedMessage::V1(_)));
        let bytes = wincode::serialize(&large).unwrap();
        assert!(bytes.len() > PACKET_BYTES && bytes.len() <= LARGE_PACKET_BYTES);
    }

    #[test]
    fn oversized_transaction_is_rejected() {
        let error = seal(4_096).unwrap_err();
        assert!(error.to_string().contains("at most 4096"), "{error}");
    }
}
