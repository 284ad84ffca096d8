//! Committed IDL, from which the matrix is generated.

use serde::Deserialize;
use solana_pubkey::Pubkey;

/// Program as described by its IDL.
#[derive(Deserialize)]
pub struct Idl {
    pub address: String,
    pub instructions: Vec<Instruction>,
    #[serde(default)]
    pub accounts: Vec<AccountType>,
}

#[derive(Clone, Deserialize)]
pub struct Instruction {
    pub name: String,
    pub accounts: Vec<Account>,
}

/// Named account of an instruction.
#[derive(Clone, Deserialize)]
pub struct Account {
    pub name: String,
    #[serde(default)]
    pub optional: bool,
    /// Accounts whose `has_one` names this account.
    #[serde(default)]
    pub relations: Vec<String>,
    pub pda: Option<Pda>,
    /// Fixed address.
    pub address: Option<String>,
}

#[derive(Clone, Deserialize)]
pub struct Pda {
    pub seeds: Vec<Seed>,
    /// Program of the address; `None` for the program itself.
    pub program: Option<serde_json::Value>,
}

#[derive(Clone, Deserialize)]
pub struct Seed {
    /// Account, field of an account, or argument; `None` for a constant.
    pub path: Option<String>,
}

impl Pda {
    /// Returns whether the address is derived from this account.
    pub fn follows_from(&self, account: &str) -> bool {
        let paths = self.seeds.iter().filter_map(|seed| seed.path.as_deref());
        paths.into_iter().any(|path| path.split('.').next() == Some(account))
    }
}

/// Seeds that the IDL omits: of optional accounts, which generated clients would always pass, and of
/// accounts with a computed seed. Instruction, account, seeds, and whether another program derives
/// the address.
const OMITTED_SEEDS: [(&str, &str, &[&str], bool); 3] = [
    ("accept_terms", "issuance", &["terms"], false),
    ("open_till", "till", &["mint"], false),
    ("accept_terms", "vault_tokens", &["vault", "token_program", "mint"], true),
];

impl Account {
    /// Keeps the seeds that the program derives this account by. The IDL states an account's seeds
    /// wherever the instruction supplies them; only creation and another program's seeds are checked.
    pub fn keep_enforced_seeds(&mut self, instruction: &str, created: bool) {
        self.pda.take_if(|pda| pda.program.is_none() && !created);
        let of_this = |row: &&(&str, &str, _, _)| (row.0, row.1) == (instruction, &*self.name);
        if let Some((.., seeds, foreign)) = OMITTED_SEEDS.iter().find(of_this) {
            let seeds = seeds.iter().map(|seed| Seed { path: Some((*seed).to_owned()) });
            let program = foreign.then_some(serde_json::Value::Null);
            self.pda = Some(Pda { seeds: seeds.collect(), program });
        }
    }
}

/// Account type with its discriminator.
#[derive(Deserialize)]
pub struct AccountType {
    pub name: String,
    pub discriminator: [u8; 8],
}

impl Idl {
    /// Returns the committed IDL of `licensing` and of `payments`.
    pub fn committed() -> [Self; 2] {
        [
            include_str!("../../../../idl/licensing.json"),
            include_str!("../../../../idl/payments.json"),
        ]
        .map(|json| serde_json::from_str(json).unwrap())
    }

    pub fn id(&self) -> Pubkey {
        self.address.parse().unwrap()
    }

    /// Returns the account type of data of this program.
    pub fn type_of(&self, data: &[u8]) -> Option<&str> {
        let found = self.accounts.iter().find(|found| data.starts_with(&found.discriminator));
        found.map(|found| found.name.as_str())
    }
}
