use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_message::{Message, VersionedMessage, v1};
use solana_pubkey::Pubkey;
use solana_transaction::versioned::VersionedTransaction;

use super::{
    DynSigner,
    batch::{PACKET_BYTES, transaction_bytes},
};
use crate::{Error, Refusal};

/// Maximum size of a version 1 transaction on the wire, bytes (SIMD-0385).
pub const LARGE_PACKET_BYTES: usize = 4_096;
/// Maximum compute units of a transaction. A version 1 message must state its limits.
const COMPUTE_UNITS: u32 = 1_400_000;
const LOADED_BYTES: u32 = 64 * 1024 * 1024;

/// Creates a signed transaction: a legacy transaction if it fits a packet, or a version 1
/// transaction. Clusters without version 1 reject the latter.
///
/// # Errors
/// [`Error::Rejected`] if the instructions exceed the largest transaction; [`Error::Signer`].
pub(super) fn sealed(
    instructions: &[Instruction],
    fee_payer: &Pubkey,
    signers: &[&DynSigner],
    blockhash: Hash,
) -> Result<VersionedTransaction, Error> {
    let message = message(instructions, fee_payer, blockhash)?;
    Ok(VersionedTransaction::try_new(message, signers)?)
}

fn message(
    instructions: &[Instruction],
    fee_payer: &Pubkey,
    blockhash: Hash,
) -> Result<VersionedMessage, Error> {
    if transaction_bytes(instructions, fee_payer) <= PACKET_BYTES {
        let classic = Message::new_with_blockhash(instructions, Some(fee_payer), &blockhash);
        return Ok(VersionedMessage::Legacy(classic));
    }
    let config = v1::TransactionConfig::empty()
        .with_compute_unit_limit(COMPUTE_UNITS)
        .with_loaded_accounts_data_size_limit(LOADED_BYTES);
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
    use solana_instruction::AccountMeta;
    use solana_keypair::Keypair;
    use solana_signer::Signer;

    use super::*;

    fn instruction(data_bytes: usize) -> Instruction {
        Instruction {
            program_id: Pubkey::new_unique(),
            accounts: vec![AccountMeta::new(Pubkey::new_unique(), false)],
            data: vec![7; data_bytes],
        }
    }

    fn seal(data_bytes: usize) -> Result<VersionedTransaction, Error> {
        let payer = Keypair::new();
        sealed(&[instruction(data_bytes)], &payer.pubkey(), &[&payer], Hash::default())
    }

    #[test]
    fn small_transaction_is_legacy() {
        let classic = seal(900).unwrap();
        assert!(matches!(classic.message, VersionedMessage::Legacy(_)));
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
