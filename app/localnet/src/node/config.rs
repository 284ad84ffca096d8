use super::{artifacts, program::Program};

/// Settings of a localnet. Each has a default; one config can start any number of localnets.
#[derive(Clone, Debug, Default)]
pub struct LocalnetConfig {
    /// Port of the JSON-RPC server on loopback; `None` picks a free one.
    pub rpc_port: Option<u16>,
    /// Port of the websocket server on loopback; `None` picks the one after `rpc_port`, where
    /// stock clients look for it.
    pub ws_port: Option<u16>,
    /// Programs loaded before the first slot, in addition to those of every cluster (system, SPL
    /// Token, Token-2022, associated token account, memo, address lookup table, the precompiles).
    pub programs: Vec<Program>,
}

impl LocalnetConfig {
    /// Creates a config with free ports and no further programs.
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
