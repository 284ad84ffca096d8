use solana_pubkey::Pubkey;

use crate::artifacts;

/// What to start. Everything has a default; a config can start any number of localnets.
#[derive(Clone, Debug, Default)]
pub struct LocalnetConfig {
    /// Port of the JSON-RPC server on loopback; `None` takes a free one.
    pub rpc_port: Option<u16>,
    /// Port of the websocket server on loopback; `None` takes the one after `rpc_port`, where stock
    /// clients look for it.
    pub ws_port: Option<u16>,
    /// Programs that are on chain from the first slot, besides those every cluster has (system, SPL
    /// Token, Token-2022, associated token account, memo, address lookup table, the precompiles).
    pub programs: Vec<Program>,
    /// When blocks are made.
    pub block_production: BlockProduction,
}

/// A program's bytecode and where it lives.
#[derive(Clone, Debug)]
pub struct Program {
    /// Address of the program.
    pub id: Pubkey,
    /// ELF file as the SBF linker wrote it.
    pub elf: Vec<u8>,
}

/// When blocks are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlockProduction {
    /// Right after each transaction, and every slot: confirmations take milliseconds.
    #[default]
    Transaction,
    /// Every slot only, like a cluster: a confirmation takes up to a slot.
    Clock,
}

impl LocalnetConfig {
    /// Free ports, no further programs, blocks on demand.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds Motif's two programs and Token Metadata, as committed in `programs/artifacts`.
    pub fn with_motif_programs(mut self) -> Self {
        self.programs.extend(artifacts::motif_programs());
        self
    }

    /// Adds one program, or replaces the one at its address.
    pub fn with_program(mut self, program: Program) -> Self {
        self.programs.retain(|other| other.id != program.id);
        self.programs.push(program);
        self
    }

    /// Listens for JSON-RPC on `port`, and for websockets on the next one.
    pub fn with_rpc_port(mut self, port: u16) -> Self {
        self.rpc_port = Some(port);
        self
    }
}
