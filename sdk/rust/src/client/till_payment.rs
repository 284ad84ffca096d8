use motif_interface::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM, acceptance::MEMO_PROGRAM};
use solana_message::VersionedMessage;
use solana_pubkey::Pubkey;

use super::SaleError;
use crate::{acceptance::SaleAcceptance, channel::Currency};

/// Memos of a transaction, and its transfers to one token account.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TillPayment {
    memos: Vec<Vec<u8>>,
    transfers: Vec<TillTransfer>,
}

/// A `TransferChecked`.
#[derive(Debug, PartialEq, Eq)]
struct TillTransfer {
    /// Authority of the transfer if it signed the transaction; a multisig account does not.
    authority: Option<Pubkey>,
    /// Base units.
    amount: u64,
}

impl TillPayment {
    /// Reads the top-level memos, and the top-level transfers of a currency to the account
    /// `tokens`. `loaded` are the addresses of lookup tables: writable ones, then read-only ones.
    pub(super) fn read(
        message: &VersionedMessage,
        loaded: &[Pubkey],
        tokens: &Pubkey,
        currency: &Currency,
    ) -> Self {
        const TRANSFER_CHECKED: u8 = 12;
        let keys = [message.static_account_keys(), loaded].concat();
        let is_token = [TOKEN_PROGRAM, TOKEN_2022_PROGRAM].contains(&currency.token_program);
        let mut payment = Self::default();
        for instruction in message.instructions() {
            let program = keys.get(usize::from(instruction.program_id_index));
            if program == Some(&MEMO_PROGRAM) {
                payment.memos.push(instruction.data.clone());
            }
            let Some(([TRANSFER_CHECKED], rest)) = instruction.data.split_first_chunk() else {
                continue;
            };
            let account = |position: usize| {
                let index = usize::from(*instruction.accounts.get(position)?);
                keys.get(index).map(|key| (*key, index))
            };
            let transfers = is_token && program == Some(&currency.token_program);
            let to_till = account(1).is_some_and(|(key, _)| key == currency.mint)
                && account(2).is_some_and(|(key, _)| key == *tokens);
            let (Some((key, index)), Some(amount)) = (account(3), rest.first_chunk()) else {
                continue;
            };
            if transfers && to_till {
                let authority = message.is_signer(index).then_some(key);
                let amount = u64::from_le_bytes(*amount);
                payment.transfers.push(TillTransfer { authority, amount });
            }
        }
        payment
    }

    /// Checks that the payment is one transfer of at least the acceptance's amount, with one memo,
    /// which commits to the acceptance. Returns the authority of the transfer and its base units.
    ///
    /// # Errors
    /// [`SaleError::MemoMismatch`], [`SaleError::SeveralTransfers`], [`SaleError::Unpaid`].
    pub(super) fn check(&self, acceptance: &SaleAcceptance) -> Result<(Pubkey, u64), SaleError> {
        match self.memos.as_slice() {
            [memo] if *memo == acceptance.memo().into_bytes() => {}
            _ => return Err(SaleError::MemoMismatch),
        }
        let expected = acceptance.amount;
        let (authority, paid) = match self.transfers.as_slice() {
            [] => (None, 0),
            [sole] => (sole.authority, sole.authority.map_or(0, |_| sole.amount)),
            several => return Err(SaleError::SeveralTransfers(several.len())),
        };
        match authority {
            Some(authority) if paid >= expected => Ok((authority, paid)),
            _ => Err(SaleError::Unpaid { paid, expected }),
        }
    }
}

#[cfg(test)]
mod tests {
    use motif_interface::licensing::Use;
    use solana_instruction::{AccountMeta, Instruction};
    use solana_message::{
        Message,
        compiled_instruction::CompiledInstruction,
        v0::{self, MessageAddressTableLookup},
    };

    use super::*;

    const MINT: Pubkey = Pubkey::new_from_array([1; 32]);
    const TOKENS: Pubkey = Pubkey::new_from_array([2; 32]);
    const BUYER: Pubkey = Pubkey::new_from_array([3; 32]);

    fn acceptance() -> SaleAcceptance {
        SaleAcceptance {
            cluster: [1; 32],
            till: Pubkey::new_from_array([4; 32]),
            subject: [5; 32],
            mint: MINT,
            terms_number: 1,
            terms_digest: [6; 32],
            licensed_use: Use::Generate,
            units: 1,
            amount: 1_000,
            request_digest: [7; 32],
            operator: Pubkey::default(),
            not_after: 1,
            nonce: 2,
        }
    }

    fn transfer(authority: Pubkey, amount: u64) -> Instruction {
        let accounts = vec![
            AccountMeta::new(Pubkey::new_unique(), false),
            AccountMeta::new_readonly(MINT, false),
            AccountMeta::new(TOKENS, false),
            AccountMeta::new_readonly(authority, true),
        ];
        let data = [&[12][..], &amount.to_le_bytes(), &[6]].concat();
        Instruction { program_id: TOKEN_PROGRAM, accounts, data }
    }

    fn read(message: &VersionedMessage, loaded: &[Pubkey]) -> TillPayment {
        TillPayment::read(message, loaded, &TOKENS, &Currency::spl(MINT))
    }

    fn payment(instructions: &[Instruction]) -> TillPayment {
        let message = Message::new(instructions, Some(&BUYER));
        read(&VersionedMessage::Legacy(message), &[])
    }

    #[test]
    fn sole_transfer_names_its_authority() {
        let memo = acceptance().memo_instruction();
        let paid = payment(&[memo.clone(), transfer(BUYER, 1_001)]).check(&acceptance());
        assert_eq!(paid.unwrap(), (BUYER, 1_001));
        for short in [&[memo.clone(), transfer(BUYER, 999)][..], &[memo]] {
            let refused = payment(short).check(&acceptance());
            assert!(matches!(refused, Err(SaleError::Unpaid { expected: 1_000, .. })));
        }
    }

    #[test]
    fn second_transfer_is_rejected() {
        let memo = acceptance().memo_instruction();
        let (cosigner, own) = (transfer(Pubkey::new_unique(), 0), transfer(BUYER, 1_000));
        for pair in [[cosigner.clone(), own.clone()], [own, cosigner]] {
            let refused = payment(&[&[memo.clone()][..], &pair].concat()).check(&acceptance());
            assert!(matches!(refused, Err(SaleError::SeveralTransfers(2))), "{refused:?}");
        }
    }

    #[test]
    fn second_memo_is_rejected() {
        let memo = acceptance().memo_instruction();
        for memos in [&[][..], &[memo.clone(), memo]] {
            let refused = payment(&[memos, &[transfer(BUYER, 1_000)]].concat());
            let refused = refused.check(&acceptance());
            assert!(matches!(refused, Err(SaleError::MemoMismatch)), "{refused:?}");
        }
    }

    #[test]
    fn lookup_table_accounts_are_resolved() {
        let memo = acceptance().memo_instruction();
        // Static keys: buyer, source, programs. Loaded keys: the till's tokens, then the mint.
        let compiled = |program_id_index, accounts: &[u8], data: &[u8]| CompiledInstruction {
            program_id_index,
            accounts: accounts.to_vec(),
            data: data.to_vec(),
        };
        let lookup = MessageAddressTableLookup {
            account_key: Pubkey::new_unique(),
            writable_indexes: vec![0],
            readonly_indexes: vec![1],
        };
        let pay = transfer(BUYER, 1_000);
        let mut message = v0::Message {
            account_keys: vec![BUYER, Pubkey::new_unique(), TOKEN_PROGRAM, MEMO_PROGRAM],
            instructions: vec![compiled(3, &[], &memo.data), compiled(2, &[1, 5, 4, 0], &pay.data)],
            address_table_lookups: vec![lookup],
            ..v0::Message::default()
        };
        message.header.num_required_signatures = 1;
        message.header.num_readonly_unsigned_accounts = 2;
        let message = VersionedMessage::V0(message);
        let paid = read(&message, &[TOKENS, MINT]).check(&acceptance());
        assert_eq!(paid.unwrap(), (BUYER, 1_000));
        let unresolved = read(&message, &[]).check(&acceptance());
        assert!(matches!(unresolved, Err(SaleError::Unpaid { paid: 0, .. })), "{unresolved:?}");
    }
}
