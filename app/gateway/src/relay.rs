//! Transactions that pages send through this gateway: those that use Motif, and payouts.

use base64::{Engine, prelude::BASE64_STANDARD};
use motif_paywall::ClientTransaction;
use motif_sdk::{Pubkey, channel, licensing};

use crate::error::GatewayError;

pub const SYSTEM: Pubkey = Pubkey::new_from_array([0; 32]);
pub const COMPUTE_BUDGET: Pubkey =
    Pubkey::from_str_const("ComputeBudget111111111111111111111111111111");
/// Checks signatures of vouchers and consents.
const ED25519: Pubkey = Pubkey::from_str_const("Ed25519SigVerify111111111111111111111111111");
pub const MEMO: Pubkey = Pubkey::from_str_const("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");
pub const ASSOCIATED_TOKENS: Pubkey =
    Pubkey::from_str_const("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");
pub const TOKENS: Pubkey = Pubkey::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
const TOKENS_2022: Pubkey = Pubkey::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");
const METADATA: Pubkey = Pubkey::from_str_const("metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s");
const SYSVAR: Pubkey = Pubkey::from_str_const("Sysvar1111111111111111111111111111111111111");
/// Transfer with decimals, of both token programs.
const TRANSFER_CHECKED: u8 = 12;
/// Maximum data of an account that is relayed, bytes.
const MAX_DATA: usize = 64 * 1024;

/// Signed transaction that may be relayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayedTransaction {
    /// Wire format.
    pub bytes: Vec<u8>,
    /// First signature, which names the transaction.
    pub signature: [u8; 64],
}

impl RelayedTransaction {
    /// Reads a transaction in standard base64 and checks its instructions.
    ///
    /// # Errors
    /// [`GatewayError::MalformedTransaction`], [`GatewayError::ForeignProgram`].
    pub fn read(text: &str) -> Result<Self, GatewayError> {
        let (bytes, read) = read_transaction(text)?;
        let signature = read.signatures.first().copied();
        let signature = signature.filter(|_| read.is_signed());
        let signature = signature.ok_or_else(|| malformed("a signature is missing or invalid"))?;
        let mut calls = Vec::with_capacity(read.instructions.len());
        for instruction in &read.instructions {
            let program = read.keys.get(usize::from(instruction.program)).copied();
            let program = program.ok_or_else(|| malformed("an instruction has no program"))?;
            if !may_call(&program, &instruction.data) {
                return Err(GatewayError::ForeignProgram(Some(program)));
            }
            calls.push((program, instruction.data.as_slice()));
        }
        if !calls.iter().any(|(program, _)| is_own(program)) && !is_payout(&calls) {
            return Err(GatewayError::ForeignProgram(None));
        }
        Ok(Self { bytes, signature })
    }
}

/// Reads a transaction in standard base64, with the signatures that it has.
///
/// # Errors
/// [`GatewayError::MalformedTransaction`].
pub fn read_transaction(text: &str) -> Result<(Vec<u8>, ClientTransaction), GatewayError> {
    let bytes = BASE64_STANDARD.decode(text);
    let bytes = bytes.map_err(|_| malformed("expected standard base64"))?;
    let read = ClientTransaction::read(&bytes).map_err(|error| malformed(&error.what))?;
    Ok((bytes, read))
}

fn malformed(what: &str) -> GatewayError {
    GatewayError::MalformedTransaction(what.to_owned())
}

/// Returns whether a transaction pays positions of a list: a memo `motif:payout:LIST:FROM-TO`, with the SHA-256
/// of the list, and transfers of tokens.
fn is_payout(calls: &[(Pubkey, &[u8])]) -> bool {
    let names_list = calls.iter().any(|(program, data)| *program == MEMO && names_payout(data));
    names_list
        && calls.iter().all(|(program, data)| match *program {
            COMPUTE_BUDGET | MEMO | ASSOCIATED_TOKENS => true,
            TOKENS | TOKENS_2022 => data.first() == Some(&TRANSFER_CHECKED),
            _ => false,
        })
}

fn names_payout(memo: &[u8]) -> bool {
    let is_number = |text: &str| {
        (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_digest = |text: &str| {
        text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let positions = str::from_utf8(memo).ok().and_then(|text| text.strip_prefix("motif:payout:"));
    let Some((list, positions)) = positions.and_then(|text| text.split_once(':')) else {
        return false;
    };
    let range = positions.split_once('-');
    is_digest(list) && range.is_some_and(|(from, to)| is_number(from) && is_number(to))
}

/// Returns whether pages may read the data of an account with this owner and length.
pub fn may_read(owner: &Pubkey, length: usize) -> bool {
    let others = [SYSTEM, TOKENS, TOKENS_2022, METADATA, SYSVAR];
    length <= MAX_DATA && (is_own(owner) || others.contains(owner))
}

fn is_own(program: &Pubkey) -> bool {
    [licensing::PROGRAM_ID, channel::PROGRAM_ID].contains(program)
}

/// Returns whether an instruction is one that transactions of Motif have beside its own.
fn may_call(program: &Pubkey, data: &[u8]) -> bool {
    match *program {
        _ if is_own(program) => true,
        COMPUTE_BUDGET | ED25519 | MEMO => true,
        // Create, or create unless it exists.
        ASSOCIATED_TOKENS => matches!(data, [] | [0] | [1]),
        // Transfer, close an account, transfer with decimals, count wrapped SOL.
        TOKENS | TOKENS_2022 => {
            matches!(data.first().copied(), Some(3 | 9 | TRANSFER_CHECKED | 17))
        }
        // Transfer of lamports.
        SYSTEM => data.starts_with(&2_u32.to_le_bytes()),
        _ => false,
    }
}
