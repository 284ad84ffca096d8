//! The memo program that clusters run.

use litesvm::LiteSVM;
use solana_program_binaries::spl_programs;
use solana_pubkey::Pubkey;

use crate::LocalnetError;

/// Address of the memo program that clients call.
pub(crate) const MEMO_PROGRAM: Pubkey =
    Pubkey::from_str_const("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");

/// Loads the memo program as Agave bundles it, version 3.0.0: about 350 compute units a byte. LiteSVM
/// has a cheaper one at that address, under which a memo that is too long for the compute unit limit of
/// stock x402 clients would pass.
///
/// # Errors
/// [`LocalnetError::BadProgram`] if the bytecode does not load.
pub(crate) fn load(svm: &mut LiteSVM) -> Result<(), LocalnetError> {
    let programs = spl_programs(&Default::default());
    for (id, account) in programs.into_iter().filter(|(id, _)| *id == MEMO_PROGRAM) {
        svm.set_account(id, account.into())
            .map_err(|error| LocalnetError::BadProgram { id, reason: error.to_string() })?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at an unexpected error")]
mod tests {
    use solana_account::Account;
    use solana_keypair::Keypair;
    use solana_message::Message;
    use solana_signer::Signer;
    use solana_transaction::{Instruction, Transaction};
    use spl_associated_token_account_interface::address::get_associated_token_address;
    use spl_token_interface::instruction::{mint_to, transfer_checked};

    use super::*;
    use crate::TestDollar;

    const COMPUTE_BUDGET: Pubkey =
        Pubkey::from_str_const("ComputeBudget111111111111111111111111111111");
    /// Feature that replaces the older token program.
    const P_TOKEN: Pubkey = Pubkey::from_str_const("ptokFjwyJtrwCa9Kgo9xoDS59V4QccBGEaRFnRPnSdP");
    /// Compute unit limit that stock x402 clients set.
    const STOCK_LIMIT: u32 = 20_000;

    /// A buyer and a seller with accounts of the test dollar.
    struct World {
        svm: LiteSVM,
        sponsor: Keypair,
        buyer: Keypair,
        seller: Pubkey,
    }

    impl World {
        fn new(has_p_token: bool) -> Self {
            let mut features = LiteSVM::mainnet_feature_set();
            if !has_p_token {
                features.deactivate(&P_TOKEN);
            }
            let mut svm = LiteSVM::default()
                .with_feature_set(features)
                .with_builtins()
                .with_lamports(1_000_000_000_000)
                .with_sysvars()
                .with_default_programs()
                .with_transaction_history(0);
            load(&mut svm).unwrap();
            let dollar = TestDollar::new();
            let account = |data: Vec<u8>| Account {
                lamports: 10_000_000,
                data,
                owner: spl_token_interface::id(),
                executable: false,
                rent_epoch: u64::MAX,
            };
            svm.set_account(dollar.mint, account(dollar.mint_data().to_vec())).unwrap();
            let (sponsor, buyer) = (Keypair::new(), Keypair::new());
            svm.airdrop(&sponsor.pubkey(), 1_000_000_000).unwrap();
            let seller = Pubkey::new_unique();
            for owner in [buyer.pubkey(), seller] {
                // Mint, owner, amount, no delegate, initialized: the layout of an SPL token account.
                let mut data = vec![0; 165];
                data[..32].copy_from_slice(dollar.mint.as_ref());
                data[32..64].copy_from_slice(owner.as_ref());
                data[108] = 1;
                svm.set_account(dollar.account_of(&owner), account(data)).unwrap();
            }
            let mut world = Self { svm, sponsor, buyer, seller };
            let (held, authority) =
                (dollar.account_of(&world.buyer.pubkey()), dollar.authority.pubkey());
            let token = spl_token_interface::id();
            let mint = mint_to(&token, &dollar.mint, &held, &authority, &[], 1_000_000).unwrap();
            let message = Message::new(&[mint], Some(&world.sponsor.pubkey()));
            let blockhash = world.svm.latest_blockhash();
            let signers = [&world.sponsor, &dollar.authority];
            let minted = Transaction::new(&signers, message, blockhash);
            world.svm.send_transaction(minted).unwrap();
            world
        }

        /// Runs a stock x402 payment with a memo of `length` bytes. Returns the compute units it
        /// consumed, or `None` if they were too few.
        fn pay(&mut self, length: usize) -> Option<u64> {
            let mint = TestDollar::new().mint;
            let budget = |data: Vec<u8>| Instruction {
                program_id: COMPUTE_BUDGET,
                accounts: Vec::new(),
                data,
            };
            let buyer = self.buyer.pubkey();
            let from = get_associated_token_address(&buyer, &mint);
            let to = get_associated_token_address(&self.seller, &mint);
            let token = spl_token_interface::id();
            let instructions = [
                budget([&[2][..], &STOCK_LIMIT.to_le_bytes()].concat()),
                budget([&[3][..], &1_u64.to_le_bytes()].concat()),
                transfer_checked(&token, &from, &mint, &to, &buyer, &[], 1_000, 6).unwrap(),
                Instruction {
                    program_id: MEMO_PROGRAM,
                    accounts: Vec::new(),
                    data: vec![b'm'; length],
                },
            ];
            let message = Message::new(&instructions, Some(&self.sponsor.pubkey()));
            let signers = [&self.sponsor, &self.buyer];
            let payment = Transaction::new(&signers, message, self.svm.latest_blockhash());
            match self.svm.send_transaction(payment) {
                Ok(landed) => Some(landed.compute_units_consumed),
                Err(failed) => {
                    let logs = failed.meta.logs.join("\n");
                    assert!(logs.contains("exceeded CUs meter"), "{logs}");
                    None
                }
            }
        }
    }

    #[test]
    fn commitment_fits_the_stock_limit() {
        for has_p_token in [true, false] {
            let used = World::new(has_p_token).pay(32).unwrap();
            println!("32-byte memo, p-token {has_p_token}: {used} compute units");
            assert!((12_000..u64::from(STOCK_LIMIT)).contains(&used), "{has_p_token} {used}");
        }
    }

    #[test]
    fn longer_memo_exceeds_the_stock_limit() {
        assert_eq!(World::new(true).pay(52), None);
        assert_eq!(World::new(false).pay(35), None);
    }
}
