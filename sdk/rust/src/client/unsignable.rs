use std::fmt;

use ed25519_dalek::VerifyingKey;
use motif_interface::mint_decimals;
use solana_account::Account;
use solana_pubkey::Pubkey;
use solana_sdk_ids::{bpf_loader_upgradeable, incinerator, native_loader, system_program, sysvar};

use crate::{channel, licensing};

/// SPL Token and Token-2022.
const TOKEN_PROGRAMS: [Pubkey; 2] = [
    Pubkey::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"),
    Pubkey::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"),
];
/// Size of a multisig of the token programs.
const TOKEN_MULTISIG_BYTES: usize = 355;

/// Why an address cannot sign: what is paid to it can be spent by no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsignable {
    /// The system program, whose address is 32 zeros and stands for no address.
    SystemProgram,
    /// The address that burns what it is paid.
    Incinerator,
    /// A program.
    Program,
    /// A sysvar of the runtime.
    Sysvar,
    /// A token account. Its owner's address is the wallet.
    TokenAccount {
        /// Wallet that spends the account's tokens.
        owner: Option<Pubkey>,
    },
    /// A mint of tokens.
    Mint,
    /// A multisig of a token program, which signs for tokens and for nothing else.
    TokenMultisig,
    /// A work, channel, till or another account of Motif's programs.
    Motif,
    /// An account that a program owns.
    Owned {
        /// The program.
        program: Pubkey,
    },
    /// An address that is derived from a program's, such as a multisig's vault: only that program signs.
    OffCurve,
    /// A point of small order, which any signature fits.
    WeakKey,
}

impl Unsignable {
    /// Returns why `address`, with this account if there is one, cannot sign; `None` if a key can sign.
    pub fn of(address: &Pubkey, account: Option<&Account>) -> Option<Self> {
        if *address == system_program::ID {
            return Some(Self::SystemProgram);
        }
        if *address == incinerator::ID {
            return Some(Self::Incinerator);
        }
        match account {
            Some(account) if account.executable => return Some(Self::Program),
            Some(account) if account.owner != system_program::ID => {
                return Some(Self::of_owned(account));
            }
            _ => {}
        }
        match VerifyingKey::from_bytes(address.as_array()) {
            Err(_) => Some(Self::OffCurve),
            Ok(key) => key.is_weak().then_some(Self::WeakKey),
        }
    }

    fn of_owned(account: &Account) -> Self {
        let program = account.owner;
        if program == sysvar::ID {
            return Self::Sysvar;
        }
        if [native_loader::ID, bpf_loader_upgradeable::ID].contains(&program) {
            return Self::Program;
        }
        if [channel::PROGRAM_ID, licensing::PROGRAM_ID].contains(&program) {
            return Self::Motif;
        }
        if !TOKEN_PROGRAMS.contains(&program) {
            return Self::Owned { program };
        }
        if account.data.len() == TOKEN_MULTISIG_BYTES {
            return Self::TokenMultisig;
        }
        if mint_decimals(&account.data).is_some() {
            return Self::Mint;
        }
        // Mint, then owner.
        let owner = account.data.get(32..64).and_then(|bytes| Pubkey::try_from(bytes).ok());
        Self::TokenAccount { owner }
    }
}

impl fmt::Display for Unsignable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::SystemProgram => "the system program",
            Self::Incinerator => "the incinerator, which burns what it is paid",
            Self::Program => "a program",
            Self::Sysvar => "a sysvar",
            Self::TokenAccount { owner: Some(owner) } => {
                return write!(formatter, "a token account of the wallet {owner}");
            }
            Self::TokenAccount { owner: None } => "a token account",
            Self::Mint => "a mint",
            Self::TokenMultisig => "a multisig of a token program",
            Self::Motif => "an account of Motif's programs",
            Self::Owned { program } => {
                return write!(formatter, "an account of the program {program}");
            }
            Self::OffCurve => "an address that a program derived",
            Self::WeakKey => "a point of small order",
        };
        formatter.write_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wallet() -> Pubkey {
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        Pubkey::new_from_array(key.verifying_key().to_bytes())
    }

    fn account(owner: Pubkey, data: Vec<u8>) -> Account {
        Account { lamports: 1, data, owner, executable: false, rent_epoch: 0 }
    }

    #[test]
    fn wallet_is_signable_before_and_after_funding() {
        assert_eq!(Unsignable::of(&wallet(), None), None);
        let funded = account(system_program::ID, Vec::new());
        assert_eq!(Unsignable::of(&wallet(), Some(&funded)), None);
    }

    #[test]
    fn address_without_key_is_named_for_what_it_is() {
        let of = |address: &Pubkey, account: &Account| Unsignable::of(address, Some(account));
        let owned = |owner, length| account(owner, vec![0; length]);
        for token_program in TOKEN_PROGRAMS {
            let mut mint = owned(token_program, 82);
            mint.data[45] = 1;
            assert_eq!(of(&wallet(), &mint), Some(Unsignable::Mint));
            let mut tokens = owned(token_program, 165);
            tokens.data[32..64].copy_from_slice(wallet().as_ref());
            tokens.data[108] = 1;
            let owner = Some(wallet());
            assert_eq!(of(&wallet(), &tokens), Some(Unsignable::TokenAccount { owner }));
            let multisig = owned(token_program, 355);
            assert_eq!(of(&wallet(), &multisig), Some(Unsignable::TokenMultisig));
        }
        let program = Account { executable: true, ..owned(native_loader::ID, 14) };
        assert_eq!(of(&TOKEN_PROGRAMS[0], &program), Some(Unsignable::Program));
        assert_eq!(of(&wallet(), &owned(sysvar::ID, 40)), Some(Unsignable::Sysvar));
        assert_eq!(of(&wallet(), &owned(licensing::PROGRAM_ID, 400)), Some(Unsignable::Motif));
        let stake = Pubkey::new_from_array([3; 32]);
        let kind = Unsignable::Owned { program: stake };
        assert_eq!(of(&wallet(), &owned(stake, 200)), Some(kind));
        assert_eq!(Unsignable::of(&system_program::ID, None), Some(Unsignable::SystemProgram));
        assert_eq!(Unsignable::of(&incinerator::ID, None), Some(Unsignable::Incinerator));
        let derived = crate::pda::work(&wallet(), &[1; 32]);
        assert_eq!(Unsignable::of(&derived, None), Some(Unsignable::OffCurve));
        let mut one = [0; 32];
        one[0] = 1; // the neutral element
        let weak = Pubkey::new_from_array(one);
        assert_eq!(Unsignable::of(&weak, None), Some(Unsignable::WeakKey));
    }
}
