//! The committed bytecode as it is deployed: its size, its `security.txt`, and the way from a
//! buffer over an upgrade authority to an upgrade that docs/deployment.md describes.

use std::collections::BTreeMap;

use anchor_lang::AccountDeserialize;
use litesvm::LiteSVM;
use motif_sdk::{
    licensing::{self, Config, InitializeArgs, LicensingError},
    pda,
};
use motif_tests::world::{CLUSTER, LICENSING_ELF, PAYMENTS_ELF};
use solana_instruction::{Instruction, error::InstructionError};
use solana_loader_v3_interface::{
    get_program_data_address,
    instruction::{
        create_buffer, deploy_with_max_program_len, set_upgrade_authority, upgrade, write,
    },
    state::UpgradeableLoaderState,
};
use solana_message::Message;
use solana_pubkey::Pubkey;
use solana_transaction::{Transaction, TransactionError};

/// Maximum size of a program. Rent is locked for each byte.
const MAX_BYTES: usize = 575_000;

/// Bytes of a buffer written by one transaction.
const CHUNK: usize = 900;

#[test]
fn programs_stay_within_size_limit() {
    for (name, elf) in [("licensing", LICENSING_ELF), ("payments", PAYMENTS_ELF)] {
        println!("{name}: {} bytes", elf.len());
        assert!(elf.len() <= MAX_BYTES, "{name} has {} bytes", elf.len());
    }
}

#[test]
fn security_txt_names_required_fields() {
    for (name, elf) in [("Motif licensing", LICENSING_ELF), ("Motif payments", PAYMENTS_ELF)] {
        let fields = security_txt(elf).expect("the bytecode has a security.txt");
        assert_eq!(fields["name"], name);
        for required in ["project_url", "contacts", "policy"] {
            assert!(!fields[required].is_empty(), "{name}: {required}");
        }
    }
}

#[test]
fn security_txt_ends_where_cut_off() {
    let begin = LICENSING_ELF.windows(BEGIN.len()).position(|window| window == BEGIN).unwrap();
    assert_eq!(security_txt(&LICENSING_ELF[..begin + BEGIN.len() + 40]), None);
    assert_eq!(security_txt(&LICENSING_ELF[begin + 1..]), None);
}

#[test]
fn buffer_deploys_and_new_authority_upgrades() {
    let mut chain = Chain::new();
    let (deployer, multisig, stranger) = (chain.person(), chain.person(), chain.person());
    let buffer = chain.write_buffer(&deployer, LICENSING_ELF);
    chain.deploy(&deployer, &buffer, LICENSING_ELF.len());
    assert_eq!(chain.deployed_bytecode(), LICENSING_ELF);

    let handover = set_upgrade_authority(&licensing::PROGRAM_ID, &deployer, Some(&multisig));
    chain.send(&[handover], &deployer).unwrap();
    let denied = TransactionError::InstructionError(
        0,
        InstructionError::Custom(LicensingError::NotUpgradeAuthority.code()),
    );
    for other in [&deployer, &stranger] {
        assert_eq!(chain.send(&[initialize(other)], other), Err(denied.clone()));
        assert!(chain.svm.get_account(&pda::config()).is_none());
    }
    chain.send(&[initialize(&multisig)], &multisig).unwrap();
    assert_eq!(chain.config().authority, multisig);

    let incorrect = TransactionError::InstructionError(0, InstructionError::IncorrectAuthority);
    let buffer = chain.write_buffer(&multisig, LICENSING_ELF);
    for other in [&deployer, &stranger] {
        let upgrade = upgrade(&licensing::PROGRAM_ID, &buffer, other, other);
        assert_eq!(chain.send(&[upgrade], other), Err(incorrect.clone()));
    }
    let upgrade = upgrade(&licensing::PROGRAM_ID, &buffer, &multisig, &deployer);
    chain.send(&[upgrade], &multisig).unwrap();
    assert_eq!(chain.deployed_bytecode(), LICENSING_ELF);
    assert_eq!(chain.config().authority, multisig, "accounts outlive an upgrade");
}

#[test]
fn offered_authority_moves_to_multisig() {
    let mut chain = Chain::new();
    let (deployer, multisig) = (chain.person(), chain.person());
    let buffer = chain.write_buffer(&deployer, LICENSING_ELF);
    chain.deploy(&deployer, &buffer, LICENSING_ELF.len());
    chain.send(&[initialize(&deployer)], &deployer).unwrap();

    chain.send(&[licensing::offer_authority(&deployer, Some(multisig))], &deployer).unwrap();
    chain.send(&[licensing::accept_authority(&multisig)], &multisig).unwrap();

    assert_eq!(chain.config().authority, multisig);
}

fn initialize(authority: &Pubkey) -> Instruction {
    let args = InitializeArgs {
        cluster: CLUSTER,
        arbiter: Pubkey::new_from_array([0xA5; 32]),
        dispute_bond_lamports: 2_000_000,
        dispute_seconds: 7 * 86_400,
    };
    licensing::initialize(authority, args)
}

/// A chain without programs of ours. Signatures are not verified: the key of the program's
/// address is not published.
struct Chain {
    svm: LiteSVM,
    people: u8,
}

impl Chain {
    fn new() -> Self {
        let svm = LiteSVM::new().with_sigverify(false).with_transaction_history(0);
        Self { svm, people: 0 }
    }

    fn person(&mut self) -> Pubkey {
        let address = self.address();
        self.svm.airdrop(&address, 100_000_000_000).unwrap();
        address
    }

    fn address(&mut self) -> Pubkey {
        self.people += 1;
        Pubkey::new_from_array([self.people; 32])
    }

    fn send(
        &mut self,
        instructions: &[Instruction],
        payer: &Pubkey,
    ) -> Result<(), TransactionError> {
        self.svm.expire_blockhash();
        let blockhash = self.svm.latest_blockhash();
        let message = Message::new_with_blockhash(instructions, Some(payer), &blockhash);
        let outcome = self.svm.send_transaction(Transaction::new_unsigned(message));
        outcome.map(|_| ()).map_err(|failure| failure.err)
    }

    /// Writes `elf` to a new buffer in transactions of one chunk.
    fn write_buffer(&mut self, authority: &Pubkey, elf: &[u8]) -> Pubkey {
        let buffer = self.address();
        let space = UpgradeableLoaderState::size_of_buffer(elf.len());
        let rent = self.svm.minimum_balance_for_rent_exemption(space);
        let create = create_buffer(authority, &buffer, authority, rent, elf.len()).unwrap();
        self.send(&create, authority).unwrap();
        for (position, chunk) in elf.chunks(CHUNK).enumerate() {
            let offset = u32::try_from(position * CHUNK).unwrap();
            self.send(&[write(&buffer, authority, offset, chunk.to_vec())], authority).unwrap();
        }
        buffer
    }

    fn deploy(&mut self, authority: &Pubkey, buffer: &Pubkey, bytes: usize) {
        let space = UpgradeableLoaderState::size_of_program();
        let rent = self.svm.minimum_balance_for_rent_exemption(space);
        let program = licensing::PROGRAM_ID;
        let deploy =
            deploy_with_max_program_len(authority, &program, buffer, authority, rent, bytes);
        self.send(&deploy.unwrap(), authority).unwrap();
        self.skip_slot();
    }

    /// A program is upgraded in a later slot than it was deployed in.
    fn skip_slot(&mut self) {
        let slot = self.svm.get_sysvar::<solana_clock::Clock>().slot;
        self.svm.warp_to_slot(slot + 1);
    }

    /// What a verified build is compared with.
    fn deployed_bytecode(&self) -> Vec<u8> {
        let account =
            self.svm.get_account(&get_program_data_address(&licensing::PROGRAM_ID)).unwrap();
        account.data[UpgradeableLoaderState::size_of_programdata_metadata()..].to_vec()
    }

    fn config(&self) -> Config {
        let account = self.svm.get_account(&pda::config()).unwrap();
        Config::try_deserialize(&mut &account.data[..]).unwrap()
    }
}

const BEGIN: &[u8] = b"=======BEGIN SECURITY.TXT V1=======\0";
const END: &[u8] = b"=======END SECURITY.TXT V1=======\0";

/// Reads a program's `security.txt` as explorers do: pairs of strings between two markers.
fn security_txt(elf: &[u8]) -> Option<BTreeMap<&str, &str>> {
    let find = |bytes: &[u8], marker: &[u8]| {
        bytes.windows(marker.len()).position(|window| window == marker)
    };
    let body = &elf[find(elf, BEGIN)? + BEGIN.len()..];
    let body = std::str::from_utf8(&body[..find(body, END)?]).ok()?;
    let strings: Vec<&str> = body.strip_suffix('\0')?.split('\0').collect();
    strings.chunks(2).map(|pair| Some((pair[0], *pair.get(1)?))).collect()
}
