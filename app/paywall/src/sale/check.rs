use motif_sdk::Pubkey;

use super::{
    refusal::{Refusal, Word},
    transaction::{ClientInstruction, ClientTransaction},
};

/// Payment that a transaction must make, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedPayment {
    /// Key that pays the fee, and signs for nothing else.
    pub fee_payer: Pubkey,
    /// Token account that is paid.
    pub tokens: Pubkey,
    /// Mint.
    pub mint: Pubkey,
    /// Program of the mint.
    pub token_program: Pubkey,
    /// Base units, exactly.
    pub amount: u64,
    /// Memo; `None` for any one of at most 256 bytes.
    pub memo: Option<String>,
}

/// Maximum compute unit limit.
const MAX_UNITS: u32 = 200_000;
/// Maximum priority fee, lamports.
const MAX_PRIORITY_LAMPORTS: u64 = 1_000;
/// Maximum number of assertions that wallets add.
const MAX_ASSERTIONS: usize = 3;
/// Maximum size of a memo that the seller does not set.
const MAX_MEMO_BYTES: usize = 256;
/// `TransferChecked` of both token programs.
const TRANSFER_CHECKED: u8 = 12;

const COMPUTE_BUDGET: Pubkey =
    Pubkey::from_str_const("ComputeBudget111111111111111111111111111111");
const MEMO: Pubkey = Pubkey::from_str_const("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");
/// Program of the assertions that Phantom and Solflare add. It moves nothing.
const LIGHTHOUSE: Pubkey = Pubkey::from_str_const("L2TExMFKdjpN9kozasaurPirfHy9P8sbXoAN1qA3S95");

/// Instructions of a payment by kind.
#[derive(Default)]
struct Found<'a> {
    limit: Option<u32>,
    price: Option<u64>,
    transfers: Vec<&'a ClientInstruction>,
    memos: Vec<&'a ClientInstruction>,
    assertions: usize,
}

impl ExpectedPayment {
    /// Checks that a transaction is this payment, in any order of its instructions. Returns the buyer,
    /// whose signature is valid.
    ///
    /// # Errors
    /// [`Refusal`] of the first rule that the transaction violates.
    pub fn check(&self, transaction: &ClientTransaction) -> Result<Pubkey, Refusal> {
        let buyer = transaction.buyer(&self.fee_payer)?;
        let keys = &transaction.keys;
        let is_repeated = |(place, key): (usize, &Pubkey)| keys[..place].contains(key);
        if keys.iter().enumerate().any(is_repeated) {
            return Err(Refusal::new(Word::NotDecoded, "a key of the transaction is repeated"));
        }
        let found = self.sort(transaction)?;
        check_fee(&found)?;
        let [transfer] = found.transfers[..] else {
            let what = format!("expected one transfer, not {}", found.transfers.len());
            return Err(Refusal::new(Word::NoTransfer, what));
        };
        self.check_transfer(transaction, transfer)?;
        self.check_memo(&found)?;
        Ok(buyer)
    }

    /// Sorts the instructions by kind.
    fn sort<'a>(&self, transaction: &'a ClientTransaction) -> Result<Found<'a>, Refusal> {
        let mut found = Found::default();
        for instruction in &transaction.instructions {
            if instruction.accounts.contains(&0) || instruction.program == 0 {
                let what = "the fee payer must not be among the accounts of an instruction";
                return Err(Refusal::new(Word::FeePayerInAccounts, what));
            }
            match transaction.keys[usize::from(instruction.program)] {
                program if program == COMPUTE_BUDGET => found.add_budget(&instruction.data)?,
                program if program == MEMO => found.memos.push(instruction),
                program if program == LIGHTHOUSE => found.assertions += 1,
                program if program == self.token_program => found.transfers.push(instruction),
                program => {
                    let what = format!("an instruction is of program {program}");
                    return Err(Refusal::new(Word::UnknownInstruction, what));
                }
            }
        }
        if found.assertions > MAX_ASSERTIONS {
            return Err(Refusal::new(Word::UnknownInstruction, "there are too many assertions"));
        }
        Ok(found)
    }

    fn check_transfer(
        &self,
        transaction: &ClientTransaction,
        transfer: &ClientInstruction,
    ) -> Result<(), Refusal> {
        let ([TRANSFER_CHECKED, amount @ .., _], [_, mint, tokens, authority]) =
            (&transfer.data[..], &transfer.accounts[..])
        else {
            return Err(Refusal::new(Word::NoTransfer, "expected a `TransferChecked`"));
        };
        let key = |index: &u8| transaction.keys[usize::from(*index)];
        if key(mint) != self.mint {
            let what = format!("the transfer must be in {}", self.mint);
            return Err(Refusal::new(Word::MintMismatch, what));
        }
        if key(tokens) != self.tokens {
            let what = format!("the transfer must be to {}", self.tokens);
            return Err(Refusal::new(Word::RecipientMismatch, what));
        }
        if *authority != 1 {
            return Err(Refusal::new(Word::SignatureInvalid, "the buyer must sign the transfer"));
        }
        let amount: Option<[u8; 8]> = amount.try_into().ok();
        if amount.map(u64::from_le_bytes) != Some(self.amount) {
            let what = format!("the transfer must be of {} base units", self.amount);
            return Err(Refusal::new(Word::AmountMismatch, what));
        }
        Ok(())
    }

    fn check_memo(&self, found: &Found<'_>) -> Result<(), Refusal> {
        let [memo] = found.memos[..] else {
            let what = format!("expected one memo, not {}", found.memos.len());
            return Err(Refusal::new(Word::MemoCount, what));
        };
        let is_expected = match &self.memo {
            Some(expected) => memo.data == expected.as_bytes(),
            None => memo.data.len() <= MAX_MEMO_BYTES,
        };
        // The memo program checks signatures only.
        if !is_expected || memo.accounts.iter().any(|account| *account != 1) {
            let what = "the memo is not that of the offer, or the offer has ended";
            return Err(Refusal::new(Word::MemoMismatch, what));
        }
        Ok(())
    }
}

impl Found<'_> {
    /// Adds an instruction of the compute budget: a limit or a price.
    fn add_budget(&mut self, data: &[u8]) -> Result<(), Refusal> {
        match data {
            [2, limit @ ..] => {
                let limit: Option<[u8; 4]> = limit.try_into().ok();
                let limit = limit.map(u32::from_le_bytes).filter(|_| self.limit.is_none());
                let invalid = || Refusal::new(Word::ComputeLimit, "the unit limit is invalid");
                self.limit = Some(limit.ok_or_else(invalid)?);
            }
            [3, price @ ..] => {
                let price: Option<[u8; 8]> = price.try_into().ok();
                let price = price.map(u64::from_le_bytes).filter(|_| self.price.is_none());
                let invalid = || Refusal::new(Word::ComputePrice, "the unit price is invalid");
                self.price = Some(price.ok_or_else(invalid)?);
            }
            _ => {
                let what = "expected no other instruction of the compute budget";
                return Err(Refusal::new(Word::UnknownInstruction, what));
            }
        }
        Ok(())
    }
}

/// Checks what the fee payer pays beyond the signatures.
fn check_fee(found: &Found<'_>) -> Result<(), Refusal> {
    let missing = || Refusal::new(Word::ComputeLimit, "the unit limit is missing");
    let limit = found.limit.ok_or_else(missing)?;
    if limit > MAX_UNITS {
        let what = format!("the unit limit must be at most {MAX_UNITS}");
        return Err(Refusal::new(Word::ComputeLimitTooHigh, what));
    }
    // Micro-lamports, rounded up.
    let fee = u128::from(limit) * u128::from(found.price.unwrap_or(0));
    if fee.div_ceil(1_000_000) > u128::from(MAX_PRIORITY_LAMPORTS) {
        let what = format!("the priority fee must be at most {MAX_PRIORITY_LAMPORTS} lamports");
        return Err(Refusal::new(Word::ComputePriceTooHigh, what));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
