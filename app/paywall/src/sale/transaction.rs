use ed25519_dalek::{Signature, VerifyingKey};
use motif_sdk::Pubkey;
use solana_sha256_hasher::hash;

use super::refusal::{Refusal, Word};

/// Transaction of a client, legacy or version 0, as its bytes state it. The fee payer's signature is
/// open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientTransaction {
    /// Signatures in order; the first is the fee payer's.
    pub signatures: Vec<[u8; 64]>,
    /// The message, which all signers sign.
    pub message: Vec<u8>,
    /// Keys of the message.
    pub keys: Vec<Pubkey>,
    /// Number of keys that sign, the first ones.
    pub signers: usize,
    /// Instructions.
    pub instructions: Vec<ClientInstruction>,
}

/// Instruction of a [`ClientTransaction`]. Programs and accounts are indices of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientInstruction {
    /// The program.
    pub program: u8,
    /// The accounts.
    pub accounts: Vec<u8>,
    /// The data.
    pub data: Vec<u8>,
}

impl ClientTransaction {
    /// Maximum size of a transaction.
    const MAX_BYTES: usize = 1_232;
    /// Prefix of a message of version 0.
    const VERSION_0: u8 = 0x80;

    /// Parses a transaction of two signers.
    ///
    /// # Errors
    /// [`Refusal`] if it is malformed, has lookup tables, or has other than two signers.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let malformed = || Refusal::new(Word::NotDecoded, "the transaction is malformed");
        if bytes.len() > Self::MAX_BYTES {
            return Err(malformed());
        }
        let read = read(bytes).ok_or_else(malformed)?;
        if read.signers != 2 || read.signatures.len() != 2 {
            let what = "expected two signers: the fee payer and the buyer";
            return Err(Refusal::new(Word::ExcessiveSigners, what));
        }
        Ok(read)
    }

    /// Parses a transaction of any signers.
    ///
    /// # Errors
    /// [`Refusal`] if it is malformed or has lookup tables.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let malformed =
            || Refusal::new(Word::NotDecoded, "the transaction is malformed or has lookup tables");
        let fits = bytes.len() <= Self::MAX_BYTES;
        fits.then(|| read(bytes)).flatten().ok_or_else(malformed)
    }

    /// Returns whether all signers have signed.
    pub fn is_signed(&self) -> bool {
        let signed = |(key, signature): (&Pubkey, &[u8; 64])| {
            let key = VerifyingKey::from_bytes(key.as_array());
            let signature = Signature::from_bytes(signature);
            key.is_ok_and(|key| key.verify_strict(&self.message, &signature).is_ok())
        };
        self.signatures.len() == self.signers && self.keys.iter().zip(&self.signatures).all(signed)
    }

    /// Returns the identifier of the payment: SHA-256 of the message.
    pub fn id(&self) -> [u8; 32] {
        hash(&self.message).to_bytes()
    }

    /// Returns the buyer, the signer that is not `fee_payer`, whose signature is valid.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn buyer(&self, fee_payer: &Pubkey) -> Result<Pubkey, Refusal> {
        let [payer, buyer, ..] = &self.keys[..] else {
            return Err(Refusal::new(Word::NotDecoded, "the transaction has too few keys"));
        };
        if payer != fee_payer || buyer == fee_payer {
            let what = format!("the fee payer must be {fee_payer}");
            return Err(Refusal::new(Word::FeePayerMismatch, what));
        }
        let key = VerifyingKey::from_bytes(buyer.as_array());
        let signature = self.signatures.get(1).map(Signature::from_bytes);
        let is_valid = match (key, signature) {
            (Ok(key), Some(signature)) => key.verify_strict(&self.message, &signature).is_ok(),
            _ => false,
        };
        if !is_valid {
            return Err(Refusal::new(Word::SignatureInvalid, "the buyer's signature is invalid"));
        }
        Ok(*buyer)
    }

    /// Returns the transaction on the wire with this signature of the fee payer.
    pub fn signed(&self, fee_payer: &[u8; 64]) -> Vec<u8> {
        // Two signatures: their number is one byte.
        let mut bytes = vec![self.signatures.len() as u8];
        bytes.extend_from_slice(fee_payer);
        for signature in self.signatures.iter().skip(1) {
            bytes.extend_from_slice(signature);
        }
        bytes.extend_from_slice(&self.message);
        bytes
    }
}

/// Reads a whole transaction; `None` if it is malformed or has lookup tables.
fn read(bytes: &[u8]) -> Option<ClientTransaction> {
    let mut rest = bytes;
    let count = length(&mut rest)?;
    let mut signatures = Vec::with_capacity(count.min(8));
    for _ in 0..count {
        signatures.push(take(&mut rest)?);
    }
    let message = rest.to_vec();
    let is_v0 = *rest.first()? == ClientTransaction::VERSION_0;
    if is_v0 {
        rest = &rest[1..];
    }
    let [signers, readonly_signers, readonly] = take::<3>(&mut rest)?;
    // A first byte of another version is not a number of signers.
    if signers > 127 || readonly_signers >= signers {
        return None;
    }
    let count = length(&mut rest)?;
    let mut keys = Vec::with_capacity(count.min(64));
    for _ in 0..count {
        keys.push(Pubkey::new_from_array(take(&mut rest)?));
    }
    if usize::from(signers) + usize::from(readonly) > keys.len() {
        return None;
    }
    take::<32>(&mut rest)?; // blockhash
    let count = length(&mut rest)?;
    let mut instructions = Vec::with_capacity(count.min(16));
    for _ in 0..count {
        let [program] = take(&mut rest)?;
        let accounts = length(&mut rest)?;
        let accounts = slice(&mut rest, accounts)?.to_vec();
        let data = length(&mut rest)?;
        let data = slice(&mut rest, data)?.to_vec();
        if accounts.iter().chain([&program]).any(|index| usize::from(*index) >= keys.len()) {
            return None;
        }
        instructions.push(ClientInstruction { program, accounts, data });
    }
    let has_tables = is_v0 && length(&mut rest)? > 0;
    if has_tables || !rest.is_empty() {
        return None;
    }
    Some(ClientTransaction { signatures, message, keys, signers: signers.into(), instructions })
}

/// Reads a compact length in its shortest form.
fn length(rest: &mut &[u8]) -> Option<usize> {
    let mut value = 0;
    for place in 0..3 {
        let [byte] = take(rest)?;
        value |= usize::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            let is_shortest = byte > 0 || place == 0;
            return (is_shortest && value <= usize::from(u16::MAX)).then_some(value);
        }
    }
    None
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

fn slice<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}
