use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::{Message, VersionedMessage, v1};
use solana_pubkey::Pubkey;
use solana_transaction::versioned::VersionedTransaction;

use super::packing::{PACKET_BYTES, transaction_bytes};
use crate::{Error, Refusal};

/// The most bytes of a version-1 transaction on the wire (SIMD-0385).
pub const LARGE_PACKET_BYTES: usize = 4_096;
/// What a transaction may use at most; a version-1 message that says nothing gets nothing.
const COMPUTE_UNITS: u32 = 1_400_000;
const LOADED_BYTES: u32 = 64 * 1024 * 1024;

/// The signed transaction of these instructions: a classic one where it fits a classic packet,
/// else one of version 1. A cluster without version 1 refuses the latter; nothing else is lost.
///
/// # Errors
/// [`Error::Rejected`] when no transaction is large enough, or a signature is missing.
pub(super) fn sealed(
    instructions: &[Instruction],
    fee_payer: &Pubkey,
    signers: &[&Keypair],
    blockhash: Hash,
) -> Result<VersionedTransaction, Error> {
    let message = message(instructions, fee_payer, blockhash)?;
    let signed = VersionedTransaction::try_new(message, signers);
    signed.map_err(|error| refused(error.to_string()))
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
            "the transaction takes {bytes} bytes and the largest has {LARGE_PACKET_BYTES}; send \
             its instructions in several"
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
    fn what_fits_a_classic_packet_travels_in_one() {
        let classic = seal(900).unwrap();
        assert!(matches!(classic.message, VersionedMessage::Legacy(_)));
    }

    #[test]
    fn what_is_larger_travels_in_version_one() {
        let large = seal(3_000).unwrap();
        assert!(matches!(large.message, VersionedMessage::V1(_)));
        let bytes = wincode::serialize(&large).unwrap();
        assert!(bytes.len() > PACKET_BYTES && bytes.len() <= LARGE_PACKET_BYTES);
    }

    #[test]
    fn what_fits_no_transaction_is_refused_before_it_is_sent() {
        let error = seal(4_096).unwrap_err();
        assert!(error.to_string().contains("the largest has 4096"), "{error}");
    }
}
