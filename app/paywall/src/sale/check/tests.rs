use ed25519_dalek::{Signer, SigningKey};

use super::*;

/// Message under construction.
#[derive(Clone)]
struct Draft {
    v0: bool,
    signers: u8,
    keys: Vec<Pubkey>,
    instructions: Vec<(u8, Vec<u8>, Vec<u8>)>,
    tables: u8,
}

const PAYER: u8 = 0;
const BUYER: u8 = 1;
const SOURCE: u8 = 2;
const TOKENS: u8 = 3;
const MINT: u8 = 4;
const TOKEN_PROGRAM: u8 = 5;
const BUDGET: u8 = 6;
const MEMO_PROGRAM: u8 = 7;
const OTHER: u8 = 8;

fn buyer() -> SigningKey {
    SigningKey::from_bytes(&[21; 32])
}

fn key(number: u8) -> Pubkey {
    match number {
        BUYER => Pubkey::new_from_array(buyer().verifying_key().to_bytes()),
        BUDGET => COMPUTE_BUDGET,
        MEMO_PROGRAM => MEMO,
        other => Pubkey::new_from_array([100 + other; 32]),
    }
}

fn expected() -> ExpectedPayment {
    ExpectedPayment {
        fee_payer: key(PAYER),
        tokens: key(TOKENS),
        mint: key(MINT),
        token_program: key(TOKEN_PROGRAM),
        amount: 12_200,
        memo: Some("A".repeat(32)),
    }
}

fn transfer(amount: u64) -> (u8, Vec<u8>, Vec<u8>) {
    let data = [&[TRANSFER_CHECKED][..], &amount.to_le_bytes(), &[6]].concat();
    (TOKEN_PROGRAM, vec![SOURCE, MINT, TOKENS, BUYER], data)
}

fn limit(units: u32) -> (u8, Vec<u8>, Vec<u8>) {
    (BUDGET, vec![], [&[2][..], &units.to_le_bytes()].concat())
}

fn price(price: u64) -> (u8, Vec<u8>, Vec<u8>) {
    (BUDGET, vec![], [&[3][..], &price.to_le_bytes()].concat())
}

fn memo(text: &str) -> (u8, Vec<u8>, Vec<u8>) {
    (MEMO_PROGRAM, vec![], text.as_bytes().to_vec())
}

/// The payment as stock x402 clients make it.
fn draft() -> Draft {
    Draft {
        v0: true,
        signers: 2,
        keys: (PAYER..=OTHER).map(key).collect(),
        instructions: vec![limit(20_000), price(1), transfer(12_200), memo(&"A".repeat(32))],
        tables: 0,
    }
}

impl Draft {
    fn message(&self) -> Vec<u8> {
        let mut bytes = if self.v0 { vec![0x80] } else { vec![] };
        bytes.extend([self.signers, 1, 4, self.keys.len() as u8]);
        self.keys.iter().for_each(|key| bytes.extend_from_slice(key.as_ref()));
        bytes.extend([9; 32]);
        bytes.push(self.instructions.len() as u8);
        for (program, accounts, data) in &self.instructions {
            bytes.extend([*program, accounts.len() as u8]);
            bytes.extend(accounts);
            bytes.push(data.len() as u8);
            bytes.extend(data);
        }
        if self.v0 {
            bytes.push(self.tables);
        }
        bytes
    }

    fn bytes(&self) -> Vec<u8> {
        let message = self.message();
        let mut bytes = vec![self.signers];
        bytes.extend([0; 64]);
        if self.signers > 1 {
            bytes.extend(buyer().sign(&message).to_bytes());
        }
        (2..self.signers).for_each(|_| bytes.extend([0; 64]));
        bytes.extend(message);
        bytes
    }

    fn check(&self) -> Result<Pubkey, Word> {
        let transaction = ClientTransaction::parse(&self.bytes());
        let checked = transaction.and_then(|transaction| expected().check(&transaction));
        checked.map_err(|refusal| refusal.word)
    }
}

fn with(change: impl FnOnce(&mut Draft)) -> Result<Pubkey, Word> {
    let mut draft = draft();
    change(&mut draft);
    draft.check()
}

#[test]
fn stock_payments_are_accepted() {
    assert_eq!(draft().check(), Ok(key(BUYER)));
    assert_eq!(with(|draft| draft.v0 = false), Ok(key(BUYER)));
    // MPP has the price first and a higher limit.
    let mpp = with(|draft| draft.instructions[..2].clone_from_slice(&[price(1), limit(200_000)]));
    assert_eq!(mpp, Ok(key(BUYER)));
    let asserted = with(|draft| {
        draft.keys[usize::from(OTHER)] = LIGHTHOUSE;
        draft.instructions.push((OTHER, vec![SOURCE], vec![1]));
    });
    assert_eq!(asserted, Ok(key(BUYER)));
}

#[test]
fn signed_transaction_has_both_signatures() {
    let bytes = draft().bytes();
    let transaction = ClientTransaction::parse(&bytes).unwrap();
    let signed = transaction.signed(&[7; 64]);
    assert_eq!(signed.len(), bytes.len());
    assert_eq!((signed[0], &signed[1..65]), (2, &[7; 64][..]));
    assert_eq!(signed[65..], bytes[65..]);
}

#[test]
fn changed_transfer_is_refused() {
    let place = 2;
    for (accounts, word) in [
        (vec![SOURCE, OTHER, TOKENS, BUYER], Word::MintMismatch),
        (vec![SOURCE, MINT, OTHER, BUYER], Word::RecipientMismatch),
        (vec![SOURCE, MINT, SOURCE, BUYER], Word::RecipientMismatch),
        (vec![SOURCE, MINT, TOKENS, OTHER], Word::SignatureInvalid),
        (vec![SOURCE, MINT, TOKENS, PAYER], Word::FeePayerInAccounts),
        (vec![SOURCE, MINT, TOKENS], Word::NoTransfer),
        (vec![SOURCE, MINT, TOKENS, BUYER, OTHER], Word::NoTransfer),
    ] {
        assert_eq!(with(|draft| draft.instructions[place].1 = accounts), Err(word));
    }
    for amount in [0, 12_199, 12_201, u64::MAX] {
        let refused = with(|draft| draft.instructions[place] = transfer(amount));
        assert_eq!(refused, Err(Word::AmountMismatch));
    }
    // `Transfer`, `Approve`, and a longer `TransferChecked`.
    for data in
        [vec![3, 1, 0, 0, 0, 0, 0, 0, 0], vec![4; 9], [transfer(12_200).2, vec![0]].concat()]
    {
        assert!(with(|draft| draft.instructions[place].2 = data).is_err());
    }
    let twice = with(|draft| draft.instructions.push(transfer(12_200)));
    assert_eq!(twice, Err(Word::NoTransfer));
    assert_eq!(with(|draft| drop(draft.instructions.remove(place))), Err(Word::NoTransfer));
}

#[test]
fn expensive_budget_is_refused() {
    let budget =
        |limit, price| with(|draft| draft.instructions[..2].clone_from_slice(&[limit, price]));
    assert_eq!(budget(limit(200_001), price(1)), Err(Word::ComputeLimitTooHigh));
    assert_eq!(budget(limit(200_000), price(5_000)), Ok(key(BUYER)));
    assert_eq!(budget(limit(200_000), price(5_001)), Err(Word::ComputePriceTooHigh));
    assert_eq!(budget(limit(20_000), price(u64::MAX)), Err(Word::ComputePriceTooHigh));
    assert_eq!(budget(limit(20_000), limit(20_000)), Err(Word::ComputeLimit));
    assert_eq!(budget(price(1), price(1)), Err(Word::ComputePrice));
    let unlimited = with(|draft| drop(draft.instructions.remove(0)));
    assert_eq!(unlimited, Err(Word::ComputeLimit));
    // A heap of 256 KiB.
    let heap = with(|draft| draft.instructions.push((BUDGET, vec![], vec![1, 0, 0, 4, 0])));
    assert_eq!(heap, Err(Word::UnknownInstruction));
}

#[test]
fn other_memo_is_refused() {
    let place = 3;
    let other = with(|draft| draft.instructions[place] = memo(&"B".repeat(32)));
    assert_eq!(other, Err(Word::MemoMismatch));
    let none = with(|draft| drop(draft.instructions.pop()));
    assert_eq!(none, Err(Word::MemoCount));
    let two = with(|draft| draft.instructions.push(memo(&"A".repeat(32))));
    assert_eq!(two, Err(Word::MemoCount));
    let foreign_signer = with(|draft| draft.instructions[place].1 = vec![OTHER]);
    assert_eq!(foreign_signer, Err(Word::MemoMismatch));
}

#[test]
fn fee_payer_among_accounts_is_refused() {
    for instruction in 0..4 {
        let added = with(|draft| draft.instructions[instruction].1.push(PAYER));
        assert_eq!(added, Err(Word::FeePayerInAccounts), "instruction {instruction}");
    }
    assert_eq!(with(|draft| draft.keys[0] = key(OTHER)), Err(Word::FeePayerMismatch));
    let twice = with(|draft| draft.keys[usize::from(OTHER)] = key(PAYER));
    assert_eq!(twice, Err(Word::NotDecoded));
}

#[test]
fn foreign_program_is_refused() {
    let system = with(|draft| draft.instructions.push((OTHER, vec![BUYER], vec![2])));
    assert_eq!(system, Err(Word::UnknownInstruction));
    let many = with(|draft| {
        draft.keys[usize::from(OTHER)] = LIGHTHOUSE;
        draft.instructions.extend([(); 4].map(|()| (OTHER, vec![SOURCE], vec![1])));
    });
    assert_eq!(many, Err(Word::UnknownInstruction));
}

#[test]
fn malformed_transaction_is_refused() {
    // The header says that a signer is read-only, and the fee payer cannot be.
    assert_eq!(with(|draft| draft.signers = 1), Err(Word::NotDecoded));
    assert_eq!(with(|draft| draft.signers = 3), Err(Word::ExcessiveSigners));
    assert_eq!(with(|draft| draft.tables = 1), Err(Word::NotDecoded));
    let outside = with(|draft| draft.instructions[2].1[0] = 9);
    assert_eq!(outside, Err(Word::NotDecoded));
    let bytes = draft().bytes();
    for length in 0..bytes.len() {
        assert!(ClientTransaction::parse(&bytes[..length]).is_err(), "{length} bytes");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(ClientTransaction::parse(&longer).is_err());
}

#[test]
fn any_changed_byte_is_refused() {
    let bytes = draft().bytes();
    // The fee payer's signature is open; every other byte is signed, or is the signature.
    for place in (0..1).chain(65..bytes.len()) {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[place] ^= 1 << bit;
            let transaction = ClientTransaction::parse(&changed);
            let checked = transaction.and_then(|transaction| expected().check(&transaction));
            assert!(checked.is_err(), "byte {place}, bit {bit}");
        }
    }
}
