//! Invalid variants of one account of one call.

use std::fmt;

use motif_sdk::channel::{INSTRUCTIONS_SYSVAR, TOKEN_2022_PROGRAM, TOKEN_PROGRAM};
use motif_tests::world::World;
use solana_account::Account;
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

use super::{
    idl::{self, Idl},
    stage::Stage,
};

const CLOCK_SYSVAR: Pubkey = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");
const SYSTEM_PROGRAM: Pubkey = Pubkey::from_str_const("11111111111111111111111111111111");
const MEMO_PROGRAM: Pubkey = Pubkey::from_str_const("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");

/// Kind of an account in a valid call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Signer, whose account is not read.
    Signer,
    /// Account of one of the two programs, with program and type.
    Ours(usize, String),
    Mint,
    Tokens,
    /// Program or sysvar.
    Fixed,
    /// Missing: the call creates it.
    Created,
    /// Optional and left out.
    LeftOut,
    /// Key without an account that is read.
    Key,
}

/// Invalid variant of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Unsigned,
    ReadOnly,
    /// Another key signs instead.
    OtherSigner,
    /// Another key is passed instead.
    OtherKey,
    /// The same bytes at the same address are owned by a foreign program.
    ForeignOwner,
    /// A valid account of another type of the same program is at the same address.
    OtherType(String),
    /// Another valid account of the same type.
    Double(Pubkey),
    /// An account that does not exist.
    Nothing,
    Program(Pubkey),
    Sysvar,
    /// The address to be created holds an account of a foreign program.
    Occupied,
    /// The optional account is left out.
    LeftOut,
    /// The account and all after it are left out.
    Missing,
    /// Remaining accounts: one too many.
    Surplus,
    /// Remaining accounts: swapped with the next one.
    Swapped,
    /// Remaining accounts: repeated in place of the next one.
    Repeated,
}

impl Change {
    /// Returns the name of this kind of change.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::ReadOnly => "read-only",
            Self::OtherSigner => "other signer",
            Self::OtherKey => "other key",
            Self::ForeignOwner => "foreign owner",
            Self::OtherType(_) => "other type",
            Self::Double(_) => "double",
            Self::Nothing => "nothing",
            Self::Program(_) => "program",
            Self::Sysvar => "sysvar",
            Self::Occupied => "occupied",
            Self::LeftOut => "left out",
            Self::Missing => "missing",
            Self::Surplus => "surplus",
            Self::Swapped => "swapped",
            Self::Repeated => "repeated",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherType(name) => write!(f, "{}: {name}", self.name()),
            Self::Double(key) | Self::Program(key) => write!(f, "{}: {key}", self.name()),
            _ => f.write_str(self.name()),
        }
    }
}

/// Valid call with the kinds of its accounts.
pub struct Subject {
    pub stage: Stage,
    pub instructions: Vec<Instruction>,
    /// Position of the tested instruction.
    pub position: usize,
    pub accounts: Vec<idl::Account>,
    pub kinds: Vec<Kind>,
}

impl Subject {
    pub fn new(
        stage: Stage,
        instructions: Vec<Instruction>,
        id: &Pubkey,
        described: &idl::Instruction,
        idls: &[Idl; 2],
    ) -> Self {
        let position = instructions.iter().rposition(|call| call.program_id == *id).unwrap();
        let metas = &instructions[position].accounts;
        let mut accounts = described.accounts.clone();
        assert!(metas.len() >= accounts.len(), "{} names too few accounts", described.name);
        let kind = |(index, meta): (usize, &AccountMeta)| {
            kind_of(&stage.world, meta, accounts.get(index), id, idls)
        };
        let kinds: Vec<_> = metas.iter().enumerate().map(kind).collect();
        for (account, kind) in accounts.iter_mut().zip(&kinds) {
            account.keep_enforced_seeds(&described.name, *kind == Kind::Created);
        }
        Self { stage, instructions, position, accounts, kinds }
    }

    pub fn metas(&self) -> &[AccountMeta] {
        &self.instructions[self.position].accounts
    }

    /// Returns the IDL's name of an account, or a name for a remaining account.
    pub fn name(&self, index: usize) -> &str {
        self.accounts.get(index).map_or("(remaining)", |account| account.name.as_str())
    }

    /// Returns all changes of the account at this position.
    pub fn changes(&self, index: usize, idls: &[Idl; 2]) -> Vec<Change> {
        let meta = &self.metas()[index];
        let described = self.accounts.get(index);
        let mut changes = Vec::new();
        if meta.is_writable && self.kinds[index] != Kind::LeftOut {
            changes.push(Change::ReadOnly);
        }
        match &self.kinds[index] {
            Kind::Signer => changes.extend([Change::Unsigned, Change::OtherSigner]),
            Kind::Ours(program, name) => {
                changes.extend([Change::ForeignOwner, Change::Nothing, Change::Sysvar]);
                changes.push(Change::Program(TOKEN_PROGRAM));
                let others = idls[*program].accounts.iter().map(|other| &other.name);
                let others = others.filter(|other| *other != name);
                let others =
                    others.filter(|other| self.find(idls, *program, other).next().is_some());
                changes.extend(others.map(|other| Change::OtherType(other.clone())));
                let doubles = self.find(idls, *program, name);
                let doubles = doubles.filter(|(address, _)| *address != meta.pubkey);
                changes.extend(doubles.map(|(address, _)| Change::Double(address)));
            }
            kind @ (Kind::Mint | Kind::Tokens) => {
                changes.extend([Change::ForeignOwner, Change::Nothing, Change::Sysvar]);
                changes.push(Change::Program(TOKEN_PROGRAM));
                let other = if *kind == Kind::Mint { "Tokens" } else { "Mint" };
                changes.push(Change::OtherType(other.to_string()));
                changes.extend(self.token_doubles(meta, kind).into_iter().map(Change::Double));
            }
            Kind::Fixed => {
                changes.push(Change::Sysvar);
                let programs = [licensing::ID, payments::ID, SYSTEM_PROGRAM, MEMO_PROGRAM];
                let programs = programs.into_iter().chain([TOKEN_PROGRAM, TOKEN_2022_PROGRAM]);
                let others = programs.filter(|program| *program != meta.pubkey);
                changes.extend(others.map(Change::Program));
            }
            Kind::Created => changes.extend([Change::OtherKey, Change::Occupied]),
            Kind::Key => changes.push(Change::OtherKey),
            Kind::LeftOut => {}
        }
        if described.is_some_and(|account| account.optional) && self.kinds[index] != Kind::LeftOut {
            changes.push(Change::LeftOut);
        }
        let remaining = index >= self.accounts.len();
        let next = self.metas().get(index + 1);
        if remaining && next.is_some_and(|next| next.pubkey != meta.pubkey) {
            changes.extend([Change::Swapped, Change::Repeated]);
        }
        changes.push(Change::Missing);
        if index + 1 == self.metas().len() {
            changes.push(Change::Surplus);
        }
        changes
    }

    /// Returns the stage and the instructions with the account at this position changed.
    pub fn changed(
        &self,
        index: usize,
        change: &Change,
        idls: &[Idl; 2],
    ) -> (Stage, Vec<Instruction>) {
        let (mut stage, mut instructions) = (self.stage.clone(), self.instructions.clone());
        let accounts = &mut instructions[self.position].accounts;
        let address = accounts[index].pubkey;
        match change {
            Change::Unsigned => accounts[index].is_signer = false,
            Change::ReadOnly => accounts[index].is_writable = false,
            Change::OtherSigner | Change::OtherKey | Change::Nothing => {
                accounts[index].pubkey = stage.world.person().key();
                if *change != Change::OtherSigner {
                    stage.world.set(accounts[index].pubkey, Account::default());
                }
            }
            Change::ForeignOwner => {
                let mut account = stage.world.account(&address);
                let foreign = account.owner == licensing::ID;
                account.owner = if foreign { payments::ID } else { licensing::ID };
                stage.world.set(address, account);
            }
            Change::OtherType(name) => {
                let account = self.other_type(index, name, idls);
                stage.world.set(address, account);
            }
            Change::Double(double) | Change::Program(double) => accounts[index].pubkey = *double,
            Change::Sysvar => {
                let other =
                    if address == CLOCK_SYSVAR { INSTRUCTIONS_SYSVAR } else { CLOCK_SYSVAR };
                accounts[index].pubkey = other;
            }
            Change::Occupied => {
                let account = Account {
                    lamports: 10_000_000_000,
                    data: vec![0; 300],
                    owner: MEMO_PROGRAM,
                    ..Account::default()
                };
                stage.world.set(address, account);
            }
            Change::LeftOut => {
                let id = instructions[self.position].program_id;
                instructions[self.position].accounts[index] = AccountMeta::new_readonly(id, false);
            }
            Change::Missing => accounts.truncate(index),
            Change::Surplus => {
                let last = accounts[index].clone();
                accounts.push(AccountMeta { is_signer: false, ..last });
            }
            Change::Swapped => accounts.swap(index, index + 1),
            Change::Repeated => accounts[index + 1] = accounts[index].clone(),
        }
        (stage, instructions)
    }

    /// Returns all accounts of a type of the programs.
    fn find<'a>(
        &'a self,
        idls: &'a [Idl; 2],
        program: usize,
        name: &'a str,
    ) -> impl Iterator<Item = (Pubkey, Account)> + 'a {
        let idl = &idls[program];
        let accounts = sorted(self.stage.world.svm.get_program_accounts(&idl.id()));
        accounts.into_iter().filter(move |(_, account)| idl.type_of(&account.data) == Some(name))
    }

    /// Returns another mint, or token accounts of another owner and of another mint.
    fn token_doubles(&self, meta: &AccountMeta, kind: &Kind) -> Vec<Pubkey> {
        let own = self.stage.world.account(&meta.pubkey);
        let all = sorted(self.stage.world.svm.get_program_accounts(&own.owner));
        let same = |length| all.iter().filter(move |(_, account)| account.data.len() == length);
        let mut others = same(own.data.len()).filter(|(address, _)| *address != meta.pubkey);
        if *kind == Kind::Mint {
            return others.next().map(|(address, _)| *address).into_iter().collect();
        }
        let mint = |account: &Account| account.data[..32].to_vec();
        let owner = |account: &Account| account.data[32..64].to_vec();
        let named: Vec<_> = self.metas().iter().map(|meta| meta.pubkey).collect();
        let free = |address: &Pubkey| !named.contains(address);
        let of_another = others.clone().find(|(address, account)| {
            free(address) && mint(account) == mint(&own) && owner(account) != owner(&own)
        });
        let of_other_mint =
            others.find(|(address, account)| free(address) && mint(account) != mint(&own));
        [of_another, of_other_mint].into_iter().flatten().map(|(address, _)| *address).collect()
    }

    fn other_type(&self, index: usize, name: &str, idls: &[Idl; 2]) -> Account {
        let own = self.stage.world.account(&self.metas()[index].pubkey);
        if let Kind::Ours(program, _) = self.kinds[index] {
            return self.find(idls, program, name).next().unwrap().1;
        }
        let length = if name == "Mint" { 82 } else { 165 };
        let all = sorted(self.stage.world.svm.get_program_accounts(&own.owner));
        all.into_iter().find(|(_, account)| account.data.len() == length).unwrap().1
    }
}

fn sorted(mut accounts: Vec<(Pubkey, Account)>) -> Vec<(Pubkey, Account)> {
    accounts.sort_by_key(|(address, _)| *address);
    accounts
}

fn kind_of(
    world: &World,
    meta: &AccountMeta,
    described: Option<&idl::Account>,
    id: &Pubkey,
    idls: &[Idl; 2],
) -> Kind {
    if meta.pubkey == *id && described.is_some_and(|account| account.optional) {
        return Kind::LeftOut;
    }
    if meta.is_signer {
        return Kind::Signer;
    }
    if described.is_some_and(|account| account.address.is_some()) {
        return Kind::Fixed;
    }
    let Some(account) = world.find(&meta.pubkey) else {
        return if meta.is_writable { Kind::Created } else { Kind::Key };
    };
    if account.executable {
        return Kind::Fixed;
    }
    let ours = idls.iter().position(|idl| account.owner == idl.id());
    if let Some(program) = ours {
        let name = idls[program].type_of(&account.data).unwrap();
        return Kind::Ours(program, name.to_string());
    }
    if [TOKEN_PROGRAM, TOKEN_2022_PROGRAM].contains(&account.owner) {
        return if account.data.len() == 82 { Kind::Mint } else { Kind::Tokens };
    }
    Kind::Key
}
